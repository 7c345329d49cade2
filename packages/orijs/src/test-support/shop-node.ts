// One node of the rolling restart: an application on Redis that takes orders, and keeps the books.

import { answerRequests, report } from '@orijs/testkit';
import { Application, SocketRouter } from '../index.ts';
import { RedisWsProvider } from '../redis.ts';
import { type Account, type Emitted, type NodeRequest, type NodeSettings, Order, type Sale, Sold } from './shop.ts';

const LONGEST_WORK_MS = 100;

const { name, port, redisPort } = JSON.parse(String(process.env['SHOP_NODE'])) as NodeSettings;
const begun: string[] = [];
const done: string[] = [];
const emitted: Emitted[] = [];
const numbers = new Map<string, number>();

async function tell(room: string): Promise<Sale> {
	const number = (numbers.get(room) ?? 0) + 1;
	numbers.set(room, number);
	const sale = { publisher: name, room, number };
	const beganAt = Date.now();
	await app.socket.emit(Sold, room, sale);
	emitted.push({ ...sale, beganAt, acceptedAt: Date.now() });
	return sale;
}

const router = new SocketRouter().on(Order, async ({ data: { id, room } }) => {
	begun.push(id);
	await Bun.sleep(Math.random() * LONGEST_WORK_MS);
	await tell(room);
	done.push(id);
	return id;
});

const app = new Application()
	.websocket(new RedisWsProvider({ connection: { host: '127.0.0.1', port: redisPort } }), {
		authorize: { subscribe: () => true },
	})
	.socketRouter(router)
	.onShutdown(() => report({ begun, done, emitted } satisfies Account));
await app.listen(port);

answerRequests((request) => {
	const asked = request as NodeRequest;
	return asked.do === 'round' ? Promise.all(asked.rooms.map(tell)) : undefined;
});
