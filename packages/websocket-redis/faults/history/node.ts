// One node: an application whose topics keep their history on Redis, in a process of its own.

import { answerRequests } from '@orijs/testkit';
import { Application, type AppSocket } from '../../../core/src/index.ts';
import { RedisWsProvider } from '../../src/index.ts';
import { HISTORY, type HistoryNodeRequest, type HistoryNodeSettings } from './protocol.ts';
import { SILENT } from './silent.ts';

/** The close code after which a client comes back. */
const SERVICE_RESTART = 1012;

const settings = JSON.parse(String(process.env.HISTORY_NODE)) as HistoryNodeSettings;
const provider = new RedisWsProvider({
	connection: { host: '127.0.0.1', port: settings.redisPort },
	history: HISTORY,
	logger: SILENT,
});
/** In the order in which they came. */
const clients = new Set<AppSocket>();
const app = new Application({ logger: SILENT, signals: false })
	.websocket(provider, { authorize: { subscribe: () => true } })
	.onWebSocket({ open: (ws) => void clients.add(ws), close: (ws) => void clients.delete(ws) });
const { port } = await app.listen({ port: settings.port, hostname: '127.0.0.1' });

answerRequests((request) => {
	const asked = request as HistoryNodeRequest;
	switch (asked.do) {
		case 'where':
			return port;
		case 'clients':
			return clients.size;
		case 'kick': {
			const present = [...clients];
			for (const place of asked.places) present[place]?.close(SERVICE_RESTART);
			return;
		}
		case 'burst':
			return accepted(asked.count, (i) => provider.publish(asked.topic, `${asked.by}:${i}`));
		case 'race': {
			const options = asked.key === undefined ? {} : { idempotencyKey: asked.key };
			return accepted(asked.count, () => provider.publish(asked.topic, asked.text, options));
		}
	}
});

async function accepted(count: number, publish: (i: number) => Promise<void>): Promise<number> {
	const results = await Promise.allSettled(Array.from({ length: count }, (_, i) => publish(i)));
	return results.filter(({ status }) => status === 'fulfilled').length;
}
