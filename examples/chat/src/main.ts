/** One chat server: in this process only, or with REDIS_URL together with all others on that Redis. */
import { InProcWsProvider, type WebSocketProvider } from '@orijs/websocket';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { createChat } from './chat.ts';
import { listenFrom } from './listen.ts';
import page from './page/index.html';
import { stopOnSignal } from './stop-on-signal.ts';

const { PORT = '3000', REDIS_URL } = process.env;

function createProvider(): WebSocketProvider {
	if (REDIS_URL === undefined) return new InProcWsProvider();
	return new RedisWsProvider({ connection: REDIS_URL, keyPrefix: 'chat' });
}

try {
	if (!/^\d+$/.test(PORT) || Number(PORT) < 1 || Number(PORT) > 65_535) {
		throw new Error(`PORT must be a number from 1 to 65535, not ${JSON.stringify(PORT)}`);
	}
	const { app, port } = await listenFrom(Number(PORT), (port) =>
		createChat({ node: `node ${port}`, provider: createProvider() }).routes({ '/': page }),
	);
	stopOnSignal(() => app.stop());
	console.log(`The chat is at http://localhost:${port}`);
	// For cluster.ts; there is nobody to tell otherwise.
	process.send?.({ port });
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exit(1);
}
