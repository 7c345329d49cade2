import { connectClient, type TestClient, until } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { SocketError } from '@orijs/websocket/protocol';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, type Authorize, type Limits, SocketRouter } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

const Topics = SocketMessage.define({ name: 'topics', data: z.unknown(), reply: z.array(z.string()) });

const FORBIDDEN = (topic: string) => ({ topic, code: 'forbidden', message: `Not authorized to subscribe to ${topic}` });
const INTERNAL = (topic: string) => ({ topic, code: 'internal', message: 'Internal server error' });
const numbered = (count: number): string[] => Array.from({ length: count }, (_, number) => `t:${number}`);

type Verdict = boolean | Promise<boolean>;

describe.each<[string, (verdict: boolean) => Verdict]>([
	['at once', (verdict) => verdict],
	['later', async (verdict) => verdict],
	['at once for some', (verdict) => (verdict ? verdict : Promise.resolve(verdict))],
])('@subscribe to many topics, decided %s', (_, decided) => {
	it('joins those it may, and says which it may not', async () => {
		const { app, client, joined } = await serving({ authorize: (topic) => decided(!topic.startsWith('secret')) });

		sendTyped(client, '@subscribe', { topics: ['a', 'secret:1', 'b', 'secret:2'] }, 'x');
		expect(parse(await client.next())).toEqual({
			type: '@subscribe',
			correlationId: 'x',
			data: { ...ACCEPTED, refused: [FORBIDDEN('secret:1'), FORBIDDEN('secret:2')] },
		});
		expect([joined(), app.refusals.forbidden]).toEqual([['a', 'b'], 2]);
	});

	it('refuses none with an empty list', async () => {
		const { client, joined } = await serving({ authorize: () => decided(true) });

		sendTyped(client, '@subscribe', { topics: numbered(100) }, 'x');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [] });
		expect(joined()).toEqual(numbered(100));
	});

	it('refuses those too many, but none that the client is in', async () => {
		const { app, client, joined } = await serving({
			authorize: () => decided(true),
			limits: { topicsPerSocket: 3 },
		});
		const tooMany = { code: 'too_many_topics', message: 'Limit of 3 topics per connection reached' };

		sendTyped(client, '@subscribe', { topic: 'old' }, 'x');
		await client.next();
		sendTyped(client, '@subscribe', { topics: ['a', 'b', 'c', 'old', 'd'] }, 'y');
		expect(parse(await client.next())['data']).toEqual({
			...ACCEPTED,
			refused: [
				{ topic: 'c', ...tooMany },
				{ topic: 'd', ...tooMany },
			],
		});
		expect([joined(), app.refusals.topics]).toEqual([['old', 'a', 'b'], 2]);
	});

	it('gives each refused topic a frame where there is no correlation id, and else says nothing', async () => {
		const { client, joined } = await serving({ authorize: (topic) => decided(topic !== 'no' && topic !== 'nor') });

		sendTyped(client, '@subscribe', { topics: ['a', 'no', 'b', 'nor'] });
		await until(() => joined().length === 2, { what: 'the others are joined' });
		await allReceived(client);
		const frames = client.texts.map(parse).filter(({ type }) => type === '@subscribe');
		expect(frames).toEqual(
			['no', 'nor'].map((topic) => ({
				type: '@subscribe',
				error: { code: 'forbidden', message: `Not authorized to subscribe to ${topic}` },
			})),
		);
	});

	it('takes effect in its turn', async () => {
		const { client } = await serving({ authorize: () => decided(true) });

		sendTyped(client, 'topics', null, 'before');
		sendTyped(client, '@subscribe', { topics: ['a', 'b', 'c'] }, 'x');
		sendTyped(client, 'topics', null, 'between');
		sendTyped(client, '@unsubscribe', { topics: ['c', 'a'] }, 'y');
		sendTyped(client, 'topics', null, 'after');
		await client.received(5);
		expect(new Map(answersOf(client))).toEqual(
			new Map<unknown, unknown>([
				['before', []],
				['x', { ...ACCEPTED, refused: [] }],
				['between', ['a', 'b', 'c']],
				['y', { ...ACCEPTED, refused: [] }],
				['after', ['b']],
			]),
		);
	});

	it('counts one that is in the list twice once', async () => {
		const asked: string[] = [];
		const { app, client, joined } = await serving({
			authorize: (topic) => decided(asked.push(topic) > 0 && topic !== 'no'),
			limits: { topicsPerSocket: 1 },
		});

		sendTyped(client, '@subscribe', { topics: ['a', 'no', 'a', 'no', 'a'] }, 'x');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [FORBIDDEN('no')] });
		expect([asked, joined(), app.refusals.forbidden, app.refusals.topics]).toEqual([['a', 'no'], ['a'], 1, 0]);
	});
});

describe.each<[string, (error: unknown) => Verdict]>([
	[
		'throws',
		(error) => {
			throw error;
		},
	],
	['rejects', async (error) => Promise.reject(error)],
])('where authorize %s for one topic', (_, failing) => {
	it('only that is refused, and only the log says why', async () => {
		const error = new Error('postgres://admin:hunter2@db');
		const { client, joined, log, socketId } = await serving({
			authorize: (topic) => (topic === 'bad' ? failing(error) : true),
		});

		sendTyped(client, '@subscribe', { topics: ['a', 'bad', 'b'] }, 'x');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [INTERNAL('bad')] });
		expect(joined()).toEqual(['a', 'b']);
		expect(log.errors.map(({ details }) => details)).toEqual([{ socketId: socketId(), topic: 'bad', err: error }]);
	});

	it('the code and message of a SocketError are what the client is told', async () => {
		const { client, joined, log } = await serving({
			authorize: (topic) => (topic === 'full' ? failing(new SocketError('room_full', 'No seat is free')) : true),
		});

		sendTyped(client, '@subscribe', { topics: ['full', 'a'] }, 'x');
		expect(parse(await client.next())['data']).toEqual({
			...ACCEPTED,
			refused: [{ topic: 'full', code: 'room_full', message: 'No seat is free' }],
		});
		expect([joined(), log.errors]).toEqual([['a'], []]);
	});

	it('what can not be looked at is a failure as any', async () => {
		const trap = (): never => {
			throw new Error('not to be looked at');
		};
		const { client, joined } = await serving({
			authorize: (topic) => (topic === 'bad' ? failing(new Proxy({}, { getPrototypeOf: trap })) : true),
		});

		sendTyped(client, '@subscribe', { topics: ['a', 'bad'] }, 'x');
		sendTyped(client, 'topics', null, 'y');
		await client.received(2);
		expect(new Map(answersOf(client))).toEqual(
			new Map<unknown, unknown>([
				['x', { ...ACCEPTED, refused: [INTERNAL('bad')] }],
				['y', ['a']],
			]),
		);
		expect(joined()).toEqual(['a']);
	});
});

describe.each(['@subscribe', '@unsubscribe'])('%s', (type) => {
	it.each<[string, unknown]>([
		['no topics', { topics: [] }],
		['101 topics', { topics: numbered(101) }],
		['101 times the same', { topics: Array.from({ length: 101 }, () => 'a') }],
		['text', { topics: 'a' }],
		['nothing', { topics: null }],
		['an object', { topics: { 0: 'a', length: 1 } }],
		['a number among them', { topics: ['a', 7] }],
		['null among them', { topics: ['a', null] }],
		['a list among them', { topics: ['a', ['b']] }],
		['an object without a topic among them', { topics: ['b', { name: 'a' }] }],
		['a bad position among them', { topics: [{ topic: 'a', since: { epoch: '', offset: 1 } }] }],
		['a position without an offset', { topic: 'a', since: { epoch: 'e' } }],
		['a rewind of nothing', { topics: [{ topic: 'a', rewind: 0 }] }],
		['a bad name among them', { topics: ['a', 'no spaces'] }],
		['an empty name among them', { topics: ['a', ''] }],
		['a topic and topics', { topic: 'a', topics: ['b'] }],
		['a topic and no topics', { topic: 'a', topics: [] }],
		['topics in topics', { topics: { topics: ['a'] } }],
		['a list of lists', { topics: [['a']] }],
	])('is refused with invalid_data as a whole for %s', async (_, data) => {
		const asked: string[] = [];
		const { app, client, joined } = await serving({ authorize: (topic) => asked.push(topic) > 0 });

		sendTyped(client, type, data, 'x');
		expect(parse(await client.next())).toEqual({
			type,
			correlationId: 'x',
			error: { code: 'invalid_data', message: expect.stringContaining('1 to 100') as string },
		});
		expect([joined(), asked, app.refusals.data]).toEqual([[], [], 1]);
	});

	it('counts ten topics as one message for the rate', async () => {
		const { app, client } = await serving({ limits: { messagesPerSecond: 8 } });

		sendTyped(client, type, { topics: numbered(71) }, 'x');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [] });
		sendTyped(client, 'topics', null, 'y');
		expect(parse(await client.next())).toMatchObject({ correlationId: 'y', error: { code: 'rate_limited' } });
		expect([app.refusals.rate, app.refusals.flood]).toEqual([1, 0]);
	});

	it('counts ten topics in each of as many messages as there may be as no more than those', async () => {
		const { app, client } = await serving({ limits: { messagesPerSecond: 8 } });

		for (let i = 0; i < 8; i++) sendTyped(client, type, { topics: numbered(10) }, `${i}`);
		expect((await client.received(8)).map((text) => parse(text)['data'])).toEqual(
			Array.from({ length: 8 }, () => ({ ...ACCEPTED, refused: [] })),
		);
		expect(app.refusals.rate).toBe(0);
	});

	it('costs a message when it is refused as a whole', async () => {
		const { app, client } = await serving({ limits: { messagesPerSecond: 8 } });

		sendTyped(client, type, { topics: [...numbered(99), ''] }, 'x');
		for (let i = 0; i < 7; i++) sendTyped(client, 'topics', null, `${i}`);
		await client.received(8);
		expect(answersOf(client).slice(1)).toEqual(Array.from({ length: 7 }, (_, i) => [`${i}`, []]));
		expect(app.refusals.rate).toBe(0);
	});
});

describe('@subscribe to many topics, over a backend,', () => {
	it('is answered once messages from every node arrive for all of them', async () => {
		const backend = new MemoryBackend();
		const [here, there] = [await serving({ backend }), await serving({ backend })];

		sendTyped(here.client, '@subscribe', { topics: numbered(50) }, 'x');
		await here.client.next();
		for (const topic of numbered(50)) await there.app.socket.publish(topic, `"${topic}"`);
		expect((await here.client.received(51)).slice(1)).toEqual(numbered(50).map((topic) => `"${topic}"`));
	});

	it('is not answered before, and keeps no other message meanwhile', async () => {
		const { client, hold } = await serving();
		const release = hold();

		sendTyped(client, '@subscribe', { topics: ['a', 'b'] }, 'x');
		sendTyped(client, 'topics', null, 'y');
		await client.next();
		await allReceived(client);
		expect(answersOf(client)).toEqual([['y', ['a', 'b']]]);
		const released = Date.now();
		release();
		const { data } = parse(await client.next((message) => parse(message)['correlationId'] === 'x'));
		expect(data).toEqual({ ...ACCEPTED, refused: [] });
		expect((data as { timestamp: number }).timestamp).toBeGreaterThanOrEqual(released);
	});

	it('says which ones the backend refuses, and they may be tried again', async () => {
		const { client, joined, refuse } = await serving();

		// In a request of its own, as the backend is asked for those together that are joined together.
		sendTyped(client, '@subscribe', { topic: 'good' }, 'x');
		await client.next();
		refuse(new Error('no more subscriptions'));
		sendTyped(client, '@subscribe', { topics: ['good', 'bad'] }, 'y');
		expect(parse(await client.next())['data']).toEqual({
			...ACCEPTED,
			refused: [{ topic: 'bad', code: 'unavailable', message: 'Subscription failed; try again' }],
		});
		expect(joined()).toEqual(['good']);
		refuse(undefined);
		sendTyped(client, '@subscribe', { topics: ['good', 'bad'] }, 'z');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [] });
		expect(joined()).toEqual(['good', 'bad']);
	});

	it('waits as one request, however many topics it is about', async () => {
		const { app, client, hold } = await serving({ limits: { pendingRequests: 2 } });
		const release = hold();

		sendTyped(client, '@subscribe', { topics: ['a', 'b', 'c'] }, 'x');
		sendTyped(client, '@subscribe', { topics: ['d', 'e', 'f'] }, 'y');
		sendTyped(client, '@subscribe', { topics: ['g', 'h'] }, 'z');
		expect(parse(await client.next())).toEqual({
			type: '@subscribe',
			correlationId: 'z',
			error: { code: 'too_many_requests', message: 'Limit of 2 pending requests reached' },
		});
		release();
		await client.received(3);
		sendTyped(client, '@subscribe', { topics: ['g', 'h'] }, 'again');
		await client.received(4);
		expect(answersOf(client).slice(3)).toEqual([['again', { ...ACCEPTED, refused: [] }]]);
		expect(app.refusals.requests).toBe(1);
	});

	it('is no error for a client that leaves meanwhile', async () => {
		const { client, hold, log, connect } = await serving();
		const release = hold();

		sendTyped(client, '@subscribe', { topics: ['a', 'b'] }, 'x');
		await allReceived(client);
		await client.close();
		release();
		await isServed(await connect());
		expect(log.errors).toEqual([]);
	});
});

describe('@subscribe to many topics, while authorize thinks,', () => {
	it('waits for the last verdict, and keeps the next message until then', async () => {
		const gates = new Map(['a', 'b'].map((topic) => [topic, Promise.withResolvers<boolean>()]));
		const { client, joined } = await serving({ authorize: (topic) => gates.get(topic)?.promise ?? true });

		sendTyped(client, '@subscribe', { topics: ['a', 'now', 'b'] }, 'x');
		sendTyped(client, 'topics', null, 'y');
		await allReceived(client);
		gates.get('b')?.resolve(false);
		await allReceived(client);
		expect([joined(), answersOf(client)]).toEqual([[], []]);
		gates.get('a')?.resolve(true);
		await client.next((message) => parse(message)['correlationId'] === 'x');
		await client.next((message) => parse(message)['correlationId'] === 'y');
		expect(new Map(answersOf(client))).toEqual(
			new Map<unknown, unknown>([
				['x', { ...ACCEPTED, refused: [FORBIDDEN('b')] }],
				['y', ['a', 'now']],
			]),
		);
	});

	it('goes on with what is decided by then when it takes too long about one', async () => {
		const gate = Promise.withResolvers<boolean>();
		const { app, client, joined } = await serving({
			authorize: (topic) => (topic === 'slow' ? gate.promise : topic !== 'no'),
			limits: { handlerTimeoutMs: 100 },
		});

		sendTyped(client, '@subscribe', { topics: ['a', 'slow', 'no'] }, 'x');
		sendTyped(client, 'topics', null, 'y');
		await client.received(2);
		gate.resolve(true);
		await allReceived(client);
		await allReceived(client);
		const tooLong = { topic: 'slow', code: 'timeout', message: 'The server did not finish in time' };
		expect(new Map(answersOf(client))).toEqual(
			new Map<unknown, unknown>([
				['x', { ...ACCEPTED, refused: [tooLong, FORBIDDEN('no')] }],
				['y', ['a']],
			]),
		);
		expect([joined(), app.refusals.handlerTimeout, app.refusals.forbidden]).toEqual([['a'], 1, 1]);
	});

	it('says of each topic that it was refused when that takes too long and nobody wants an answer', async () => {
		const { client, joined } = await serving({
			authorize: (topic) => (topic === 'slow' ? new Promise(() => {}) : topic !== 'no'),
			limits: { handlerTimeoutMs: 100 },
		});

		sendTyped(client, '@subscribe', { topics: ['a', 'slow', 'no'] });
		await client.received(2);
		await allReceived(client);
		expect(answersOf(client)).toEqual([
			[undefined, 'timeout'],
			[undefined, 'forbidden'],
		]);
		expect(joined()).toEqual(['a']);
	});

	it('subscribes nobody, and is no error, once its client has left', async () => {
		const gate = Promise.withResolvers<boolean>();
		const { client, connect, joined, log } = await serving({ authorize: () => gate.promise });

		sendTyped(client, '@subscribe', { topics: ['a', 'b'] }, 'x');
		await allReceived(client);
		await client.close();
		gate.resolve(true);
		await isServed(await connect());
		expect([joined(), log.errors]).toEqual([[], []]);
	});
});

describe('@unsubscribe of many topics', () => {
	it('leaves those that the client is in, and is answered for the others as well', async () => {
		const backend = new MemoryBackend();
		const [here, there] = [await serving({ backend }), await serving({ backend })];

		sendTyped(here.client, '@subscribe', { topics: ['a', 'b', 'kept'] }, 'x');
		sendTyped(here.client, '@unsubscribe', { topics: ['a', 'never', 'b', 'a'] }, 'y');
		await here.client.received(2);
		expect(new Map(answersOf(here.client)).get('y')).toEqual({ ...ACCEPTED, refused: [] });
		expect(here.joined()).toEqual(['kept']);
		for (const { app } of [here, there]) {
			for (const topic of ['a', 'b', 'kept']) await app.socket.publish(topic, `"${topic}"`);
		}
		expect((await here.client.received(4)).slice(2)).toEqual(['"kept"', '"kept"']);
	});

	it('needs nobody’s leave', async () => {
		const { client, joined, sockets } = await serving({ authorize: () => false });
		for (const topic of ['a', 'b']) await sockets[0]?.subscribe(topic);

		sendTyped(client, '@unsubscribe', { topics: ['a', 'b'] });
		await until(() => joined().length === 0, { what: 'the topics are left' });
		await allReceived(client);
		expect(answersOf(client)).toEqual([]);
	});
});

it.each<[string, unknown]>([
	['@ping', undefined],
	['@auth', 'token'],
	['@subscribe', { topic: 'a' }],
	['@subscribe', { topics: ['a'] }],
	['@unsubscribe', { topic: 'a' }],
	['@unsubscribe', { topics: ['a'] }],
])('the answer to %s %j says what time it is on the server', async (type, data) => {
	const { client } = await serving();

	const before = Date.now();
	sendTyped(client, type, data, 'x');
	const { timestamp } = parse(await client.next())['data'] as { timestamp: number };
	expect([Number.isInteger(timestamp), timestamp >= before, timestamp <= Date.now()]).toEqual([true, true, true]);
});

/** Resolves once the server has answered a client, and so is through with what had come before. */
async function isServed(client: TestClient): Promise<void> {
	for (let i = 0; i < 3; i++) await allReceived(client);
}

interface Serving {
	readonly authorize?: (topic: string) => Verdict;
	readonly limits?: Limits;
	readonly backend?: MemoryBackend;
}

/** An application over a bus that waits or refuses where a test says so, and one client of it. */
async function serving({ authorize = () => true, limits = {}, backend = new MemoryBackend() }: Serving = {}) {
	const log = new RecordingLogger();
	const bus = backend.createBus();
	const subscribe = bus.subscribe.bind(bus);
	let held: Promise<void> | undefined;
	let fault: Error | undefined;
	bus.subscribe = async (topics) => {
		if (fault !== undefined) throw fault;
		await subscribe(topics);
		await held;
	};
	const sockets: AppSocket[] = [];
	const may: Authorize = { subscribe: (_, topic) => authorize(topic) };
	const app = new Application({ logger: log })
		.websocket(new WsProvider({ bus, logger: log, graceMs: 0 }), { limits, authorize: may })
		.socketRouter(new SocketRouter().on(Topics, ({ ws }) => [...ws.data.topics]))
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const { ws } = await serve(app);
	const connect = () => connectClient(ws);
	return {
		app,
		log,
		connect,
		client: await connect(),
		/** The sockets that were opened. */
		sockets,
		/** The id of the first. */
		socketId: () => sockets[0]?.data.socketId,
		/** The topics that it is in. */
		joined: () => [...(sockets[0]?.data.topics ?? [])],
		/** Lets the backend answer nobody until it is told to. */
		hold() {
			const gate = Promise.withResolvers<void>();
			held = gate.promise;
			return gate.resolve;
		},
		/** Lets the backend refuse what it is not subscribed to yet. */
		refuse(error: Error | undefined) {
			fault = error;
		},
	};
}
