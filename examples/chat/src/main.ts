/** A chat server with its pages. It is a single process or, if REDIS_URL is set, one of several nodes. */
import type { WebSocketProvider } from '@orijs/websocket';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { bundlePage } from '@orijs/examples-shared/bundle-page';
import { BansInMemory, BansInRedis } from './bans.ts';
import { HISTORY, PRESENCE } from './messages.ts';
import { startNode } from './node.ts';
import { firstFreePort } from './first-free-port.ts';

const { PORT = '3000', HOST = 'localhost', MODERATOR_KEY: moderatorKey = crypto.randomUUID(), REDIS_URL } = process.env;

try {
	if (!/^\d+$/.test(PORT) || Number(PORT) < 1 || Number(PORT) > 65_535) {
		throw new Error(`PORT must be a number from 1 to 65535, not ${JSON.stringify(PORT)}`);
	}
	const [page, adminPage] = await Promise.all([
		bundlePage(new URL('page/index.html', import.meta.url)),
		bundlePage(new URL('page/admin.html', import.meta.url)),
	]);
	const port = firstFreePort(Number(PORT), HOST);
	await startNode({
		name: `node ${port}`,
		port,
		hostname: HOST,
		moderatorKey,
		bans: REDIS_URL === undefined ? new BansInMemory() : new BansInRedis(REDIS_URL),
		routes: { ...page, ...adminPage },
		createProvider,
		onFailure: fail,
	});
	console.log(`The chat is at http://${HOST}:${port}`);
	console.log(`Moderators come by http://${HOST}:${port}/?key=${encodeURIComponent(moderatorKey)}`);
	console.log(`The admin page is at http://${HOST}:${port}/admin, with the key ${moderatorKey}`);
	// Only cluster.ts receives this message.
	process.send?.({ port });
	// If the parent process is gone, this process stops as if it had received SIGTERM.
	process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
} catch (error) {
	fail(error);
}

function createProvider(): WebSocketProvider | undefined {
	if (REDIS_URL === undefined) return undefined;
	return new RedisWsProvider({ connection: REDIS_URL, keyPrefix: 'chat', history: HISTORY, presence: PRESENCE });
}

function fail(error: unknown): never {
	console.error(error instanceof Error ? error.message : error);
	process.exit(1);
}
