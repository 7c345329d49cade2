// A node of the rolling-restart test: an application on Redis that handles orders and records what it has done.

import { answerRequests, report } from '@orijs/testkit';
import { Application, SocketRouter } from '../index.ts';
import { RedisWsProvider } from '../redis.ts';
import { type Emitted, type NodeReport, type NodeRequest, type NodeSettings, Order, type Sale, Sold } from './shop.ts';

const MAX_WORK_MS = 100;

const { name, port, redisPort } = JSON.parse(String(process.env['SHOP_NODE'])) as NodeSettings;
const started: string[] = [];
const done: string[] = [];
const emitted: Emitted[] = [];
const numbers = new Map<string, number>();

async function announce(room: string): Promise<Sale> {
	const number = (numbers.get(room) ?? 0) + 1;
	numbers.set(room, number);
	const sale = { publisher: name, room, number };
	const startedAt = Date.now();
	await app.socket.emit(Sold, room, sale);
	emitted.push({ ...sale, startedAt, acceptedAt: Date.now() });
	return sale;
}

const router = new SocketRouter().on(Order, async ({ data: { id, room } }) => {
	started.push(id);
	await Bun.sleep(Math.random() * MAX_WORK_MS);
	await announce(room);
	done.push(id);
	return id;
});

const app = new Application({ readinessDelayMs: 0 })
	.websocket(new RedisWsProvider({ connection: { host: '127.0.0.1', port: redisPort } }), {
		authorize: { subscribe: () => true },
	})
	.socketRouter(router)
	.onShutdown(() => report({ started, done, emitted } satisfies NodeReport));
await app.listen(port);

answerRequests((request) => {
	const nodeRequest = request as NodeRequest;
	return nodeRequest.do === 'round' ? Promise.all(nodeRequest.rooms.map(announce)) : undefined;
});
