import { type RedisServer, startRedis, startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import type { Logger } from '@orijs/websocket';
import { type ConnectionEnd, SocketClient } from '@orijs/websocket-client';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ADMIN_PATH, BanUser, Look } from './admin-messages.ts';
import { BansInRedis } from './bans.ts';
import { createChat } from './chat.ts';
import { HISTORY, PRESENCE } from './messages.ts';
import { allLeave, visit } from './test-support/visitor.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

const KEY = 'a key';

let redis: RedisServer;
/** What the second node reaches Redis through. */
let proxy: TcpProxy;
let admin: SocketClient;
const ports: (number | undefined)[] = [];
const started: { stop(): Promise<unknown> }[] = [];

beforeEach(async () => {
	redis = await startRedis();
	proxy = await startTcpProxy({ port: redis.port });
	for (const url of [redis.url, `redis://127.0.0.1:${proxy.port}`]) {
		const bans = new BansInRedis(url);
		const chat = createChat({
			name: `node ${ports.length}`,
			moderatorKey: KEY,
			provider: new RedisWsProvider({
				connection: url,
				keyPrefix: 'chat',
				history: HISTORY,
				presence: PRESENCE,
				logger: silent,
			}),
			bans,
			logger: silent,
			restart: () => {},
		});
		started.push(chat, { stop: async () => bans.close() });
		ports.push((await chat.listen(0)).port);
	}
	admin = new SocketClient(`ws://localhost:${ports[0]}${ADMIN_PATH}`, { auth: () => KEY });
	await admin.connect();
});
afterEach(async () => {
	await allLeave();
	await admin.close();
	await Promise.all(started.splice(0).map((thing) => thing.stop()));
	ports.length = 0;
	await proxy.stop();
	await redis.stop();
});

test(
	'a node that was cut off from Redis disconnects the users who were banned meanwhile',
	{ timeout: 60_000 },
	async () => {
		const grace = await visit(ports[1], 'Grace');
		const { id: userId } = grace;
		await grace.enter('lobby');
		const ended = new Promise<ConnectionEnd | undefined>((resolve) => {
			grace.client.onStateChange((state, { end }) => state === 'closed' && resolve(end));
		});
		proxy.refuse(true);
		proxy.cut();
		const ban = await admin.request(BanUser, { userId, name: 'Grace', why: 'Too many bugs' });
		expect(ban).toMatchObject({ nodes: 2, answered: 1, sockets: 0, unanswered: [expect.any(String)] });
		expect(grace.client.state).toBe('ready');
		expect((await admin.request(Look, {})).found).toMatchObject({ nodes: 2, answered: 1 });

		proxy.refuse(false);
		expect(await ended).toMatchObject({ code: 4403, disconnected: { code: 'banned', message: 'Too many bugs' } });
		await until(async () => (await admin.request(Look, {})).found.answered === 2, { what: 'both nodes answer' });
	},
);
