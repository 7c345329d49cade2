import { RecordingLogger, startRedis, until } from '@orijs/testkit';
import { SocketClient } from '@orijs/websocket-client';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { Application, SocketMessage, SocketRouter } from './index.ts';

const Say = SocketMessage.define({ name: 'say', data: z.string(), reply: z.null() });
const Ask = SocketMessage.define({ name: 'ask', data: z.string(), reply: z.string() });
const Said = SocketMessage.define({ name: 'said', data: z.string() });
const Notice = SocketMessage.define({ name: 'notice', data: z.object({ at: z.date() }) });
const Price = SocketMessage.define({ name: 'price', data: z.number() });

it('client.on hears what the server sends with a message: to one, to all, and to all except some', async () => {
	const [here, there] = await twoNodes();
	const clients = [await connect(here), await connect(here), await connect(there)] as const;
	const heard = clients.map((client) => {
		const all: unknown[] = [];
		client.on(Said, (text) => all.push(text));
		client.on(Notice, ({ at }) => all.push(at));
		return all;
	});
	await Promise.all(clients.map((client) => client.subscribe('room')));
	const { socket } = here.app;
	const [ann, bob, eve] = clients;

	await ann.request(Say, 'from ann');
	await socket.emit(Said, 'room', 'not bob, not eve', { except: [bob.socketId as string, eve.socketId as string] });
	await socket.send(eve.socketId as string, Said, 'only eve');
	await socket.broadcast(Notice, { at: new Date(0) });
	await socket.broadcast(Said, 'end');
	await until(() => heard.every((all) => all.includes('end')), { what: 'all have heard the end' });

	expect(heard).toEqual([
		['not bob, not eve', new Date(0), 'end'],
		['from ann', new Date(0), 'end'],
		['from ann', 'only eve', new Date(0), 'end'],
	]);
});

it('the last value of a topic: size 1 and rewind 1 give the latest, to newcomers and after a reconnect', async () => {
	const [here, there] = await twoNodes();
	const { socket } = here.app;
	await socket.emit(Price, 'price:gold', 1);
	await socket.emit(Price, 'price:gold', 2);
	const client = await connect(there);
	const prices: number[] = [];
	const newcomers: number[] = [];
	await client.subscribe('price:gold', { message: Price, rewind: 1, onMessage: (price) => prices.push(price) });
	expect(prices).toEqual([2]);

	await socket.emit(Price, 'price:gold', 3);
	await until(() => prices.length === 2, { what: 'the new price arrives' });
	await client.subscribe('price:gold', { message: Price, rewind: 1, onMessage: (price) => newcomers.push(price) });
	expect([prices, newcomers]).toEqual([[2, 3], [3]]);

	await client.close();
	for (const price of [4, 5, 6]) await socket.emit(Price, 'price:gold', price);
	await client.connect();
	await until(() => prices.includes(6) && newcomers.includes(6), { what: 'the latest price arrives' });
	await socket.emit(Price, 'price:gold', 7);
	await until(() => prices.includes(7) && newcomers.includes(7), { what: 'the next price arrives' });
	expect([prices, newcomers]).toEqual([
		[2, 3, 6, 7],
		[3, 6, 7],
	]);
});

it('while Redis is away, this node is served all the same, and what is for others rejects', async () => {
	const redis = await startRedis();
	onTestFinished(() => redis.stop());
	const [here, there] = [await startNode(redis.port), await startNode(redis.port)];
	const [ann, bob, eve] = [await connect(here), await connect(here), await connect(there)];
	const heard = [ann, bob, eve].map((client) => {
		const all: string[] = [];
		client.on(Said, (text) => all.push(text));
		return all;
	});
	ann.handle(Ask, () => 'answer');
	await Promise.all([ann, bob, eve].map((client) => client.subscribe('room')));
	await bob.subscribe('price:gold');
	const prices: number[] = [];
	bob.on(Price, (price) => prices.push(price));
	await redis.kill();
	await until(() => here.provider.status === 'degraded', { what: 'the node has noticed' });

	const { socket } = here.app;
	const annId = ann.socketId as string;
	const eveId = eve.socketId as string;
	const outcome = (call: Promise<unknown>): Promise<unknown> =>
		call.then(
			() => 'resolved',
			(error: Error) => error.name,
		);
	const unavailable = 'BusUnavailableError';
	expect(await outcome(socket.emit(Said, 'room', 'emit'))).toBe(unavailable);
	expect(await outcome(socket.emit(Said, 'room', 'except', { except: annId }))).toBe(unavailable);
	expect(await outcome(socket.send(annId, Said, 'send'))).toBe('resolved');
	expect(await outcome(socket.send(eveId, Said, 'send'))).toBe(unavailable);
	expect(await outcome(socket.broadcast(Said, 'broadcast'))).toBe(unavailable);
	expect(await outcome(socket.request(annId, Ask, 'question'))).toBe('resolved');
	expect(await outcome(socket.request(eveId, Ask, 'question'))).toBe(unavailable);
	expect(await outcome(socket.emit(Price, 'price:gold', 1, { idempotencyKey: 'a' }))).toBe(unavailable);
	expect(await outcome(ann.request(Say, 'except self'))).toBe('SocketRequestError');
	await until(() => heard[1]?.includes('except self') === true, { what: 'the last message has arrived' });
	expect(heard).toEqual([['emit', 'send', 'broadcast'], ['emit', 'except', 'broadcast', 'except self'], []]);
	expect(prices).toEqual([]);
});

interface Node {
	readonly provider: RedisWsProvider;
	readonly app: Application;
	readonly url: string;
}

async function twoNodes(): Promise<[Node, Node]> {
	const redis = await startRedis();
	onTestFinished(() => redis.stop());
	return [await startNode(redis.port), await startNode(redis.port)];
}

async function startNode(port: number): Promise<Node> {
	const logger = new RecordingLogger();
	const provider = new RedisWsProvider({
		connection: { port },
		history: { 'price:*': { size: 1, ttlMs: 86_400_000 } },
		logger,
	});
	const router = new SocketRouter().on(Say, async (ctx) => {
		await ctx.emit(Said, 'room', ctx.data, { except: 'self' });
		return null;
	});
	const app = new Application({ logger, signals: false })
		.websocket(provider, { authorize: { subscribe: () => true } })
		.socketRouter(router);
	onTestFinished(() => app.stop());
	const { port: listening } = await app.listen(0);
	return { app, provider, url: `ws://localhost:${listening}/ws` };
}

async function connect({ url }: Node): Promise<SocketClient> {
	const client = new SocketClient(url);
	onTestFinished(() => client.close());
	await client.connect();
	return client;
}
