import { RecordingLogger, startRedis, until } from '@orijs/testkit';
import { type ConnectionEnd, SocketClient } from '@orijs/websocket-client';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { expect, it, onTestFinished } from 'vitest';
import { Application, SocketRouter } from './index.ts';

it('a node disconnects a user of others, who is told why; the rights of all are asked about again', async () => {
	const redis = await startRedis();
	onTestFinished(() => redis.stop());
	const mayStay = new Set(['ada', 'bob']);
	const [here, there, third] = await Promise.all([1, 2, 3].map(() => startNode(redis.port, mayStay)));
	if (here === undefined || there === undefined || third === undefined) throw new Error('no nodes');
	await until(() => here.app.cluster.nodes().length === 3, { what: 'the nodes know each other' });
	const ends: (ConnectionEnd | undefined)[] = [];
	const ada = [await connect(there.url, 'ada'), await connect(third.url, 'ada')];
	const bob = await connect(there.url, 'bob');
	for (const client of ada) client.onStateChange((_, { end }) => ends.push(end));
	for (const client of [...ada, bob]) await client.subscribe('room');

	const answered = { nodes: 3, answered: 3, unanswered: [] };
	expect(await here.app.cluster.subscriberCount('room')).toEqual({ ...answered, count: 3, isPartial: false });
	expect(await here.app.reauthorize('all', 'room')).toEqual({ ...answered, sockets: 3, asked: 3, left: 0 });
	mayStay.delete('bob');
	expect(await here.app.reauthorize({ userId: 'bob' })).toEqual({ ...answered, sockets: 1, asked: 1, left: 1 });
	await until(() => bob.topics.length === 0, { what: 'bob is no longer in the room' });

	const why = { code: 'banned', message: 'You were banned', reconnect: false };
	expect(await here.app.cluster.disconnect({ userId: 'ada' }, why)).toEqual({ ...answered, sockets: 2 });
	for (const client of ada) await until(() => client.state === 'closed', { what: 'ada is disconnected' });
	expect(ends).toEqual(ada.map(() => ({ code: 4403, reason: 'banned', disconnected: why })));
	expect(await here.app.cluster.disconnect({ userId: 'ada' }, why)).toEqual({ ...answered, sockets: 0 });

	const former = bob.socketId;
	expect(await third.app.cluster.disconnect({ topic: 'room' })).toMatchObject({ sockets: 0 });
	expect(await third.app.cluster.disconnect('all')).toEqual({ ...answered, sockets: 1 });
	await until(() => bob.state === 'ready' && bob.socketId !== former, { what: 'bob is back' });
	expect([here, there, third].flatMap(({ log }) => log.errors)).toEqual([]);
});

it('a client that is banned while it is being admitted is told why, and does not come back', async () => {
	const gate = Promise.withResolvers<boolean>();
	const asked = Promise.withResolvers<void>();
	const app = new Application({ logger: new RecordingLogger(), signals: false }).websocket().socketRouter(
		new SocketRouter().authenticate((ctx) => {
			ctx.userId = String(ctx.auth);
			asked.resolve();
			return gate.promise;
		}),
	);
	onTestFinished(() => app.stop());
	const { port } = await app.listen(0);
	const client = new SocketClient(`ws://localhost:${port}/ws`, { auth: () => 'ada' });
	const connecting = client.connect();
	await asked.promise;

	const why = { code: 'banned', message: 'You were banned', reconnect: false };
	expect(await app.cluster.disconnect({ userId: 'ada' }, why)).toMatchObject({ sockets: 0 });
	gate.resolve(true);
	await expect(connecting).rejects.toMatchObject({ end: { code: 4403, reason: 'banned', disconnected: why } });
	expect([client.state, app.socket.getConnectionCount()]).toEqual(['closed', 0]);
});

async function connect(url: string, user: string): Promise<SocketClient> {
	const client = new SocketClient(url, { auth: () => user });
	onTestFinished(() => client.close());
	client.onError(() => {});
	await client.connect();
	return client;
}

async function startNode(port: number, mayStay: ReadonlySet<string>) {
	const log = new RecordingLogger();
	const router = new SocketRouter().authenticate((ctx) => {
		ctx.userId = String(ctx.auth);
		return true;
	});
	const app = new Application({ logger: log, signals: false })
		.websocket(new RedisWsProvider({ connection: { port }, logger: log }), {
			authorize: { subscribe: (ws) => mayStay.has(ws.data.userId ?? '') },
		})
		.socketRouter(router);
	onTestFinished(() => app.stop());
	const { port: listening } = await app.listen(0);
	return { app, log, url: `ws://localhost:${listening}/ws` };
}
