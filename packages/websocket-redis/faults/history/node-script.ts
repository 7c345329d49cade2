// A node in its own process: an application with topics whose history is on Redis.

import { answerRequests } from '@orijs/testkit';
import { Application, type AppSocket } from '../../../core/src/index.ts';
import { RedisWsProvider } from '../../src/index.ts';
import { HISTORY, type NodeRequest, type NodeSettings } from './protocol.ts';
import { silentLogger } from '../../src/test-support/silent-logger.ts';

/** A close code after which clients reconnect. */
const SERVICE_RESTART = 1012;

const settings = JSON.parse(String(process.env.HISTORY_NODE)) as NodeSettings;
const provider = new RedisWsProvider({
	connection: { host: '127.0.0.1', port: settings.redisPort },
	history: HISTORY,
	collectBeatsAbove: settings.collectBeatsAbove,
	logger: silentLogger,
});
/** The clients, in the order in which they connected. */
const clients = new Set<AppSocket>();
const app = new Application({ logger: silentLogger, signals: false })
	.websocket(provider, { authorize: { subscribe: () => true } })
	.onWebSocket({ open: (ws) => void clients.add(ws), close: (ws) => void clients.delete(ws) });
const { port } = await app.listen({ port: settings.port, hostname: '127.0.0.1' });

answerRequests((request) => {
	const message = request as NodeRequest;
	switch (message.do) {
		case 'port':
			return port;
		case 'stall': {
			const end = performance.now() + message.forMs;
			while (performance.now() < end);
			return;
		}
		case 'clients':
			return clients.size;
		case 'kick': {
			const connected = [...clients];
			for (const index of message.indexes) connected[index]?.close(SERVICE_RESTART);
			return;
		}
		case 'burst':
			return accepted(message.count, (i) => provider.publish(message.topic, `${message.by}:${i}`));
		case 'race': {
			const options = message.key === undefined ? {} : { idempotencyKey: message.key };
			return accepted(message.count, () => provider.publish(message.topic, message.text, options));
		}
	}
});

async function accepted(count: number, publish: (i: number) => Promise<void>): Promise<number> {
	const results = await Promise.allSettled(Array.from({ length: count }, (_, i) => publish(i)));
	return results.filter(({ status }) => status === 'fulfilled').length;
}
