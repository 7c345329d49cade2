import { connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { SocketError } from '@orijs/websocket/protocol';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, type Authorize, type Limits, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

const Topics = SocketMessage.define({ name: 'topics', data: z.unknown(), reply: z.array(z.string()) });

const FORBIDDEN = (topic: string) => ({ topic, code: 'forbidden', message: `Not authorized to subscribe to ${topic}` });
const INTERNAL = (topic: string) => ({ topic, code: 'internal', message: 'Internal server error' });
const numbered = (count: number): string[] => Array.from({ length: count }, (_, number) => `t:${number}`);

type Decision = boolean | Promise<boolean>;

describe.each<[string, (isAllowed: boolean) => Decision]>([
	['synchronously', (isAllowed) => isAllowed],
	['asynchronously', async (isAllowed) => isAllowed],
	['in both ways', (isAllowed) => (isAllowed ? isAllowed : Promise.resolve(isAllowed))],
])('@subscribe to many topics, authorized %s', (_, decided) => {
	it('subscribes to the authorized topics and lists the refused ones', async () => {
		const { app, client, subscribed } = await serving({ authorize: (topic) => decided(!topic.startsWith('secret')) });

		sendTyped(client, '@subscribe', { topics: ['a', 'secret:1', 'b', 'secret:2'] }, 'x');
		expect(parse(await client.next())).toEqual({
			type: '@subscribe',
			correlationId: 'x',
			data: { ...ACCEPTED, refused: [FORBIDDEN('secret:1'), FORBIDDEN('secret:2')] },
		});
		expect([subscribed(), app.refusals.forbidden]).toEqual([['a', 'b'], 2]);
	});

	it('answers with an empty list if no topic is refused', async () => {
		const { client, subscribed } = await serving({ authorize: () => decided(true) });

		sendTyped(client, '@subscribe', { topics: numbered(100) }, 'x');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [] });
		expect(subscribed()).toEqual(numbered(100));
	});

	it('refuses topics above the limit, but none already subscribed', async () => {
		const { app, client, subscribed } = await serving({
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
		expect([subscribed(), app.refusals.topics]).toEqual([['old', 'a', 'b'], 2]);
	});

	it('without a correlation id sends a refusal per refused topic, and nothing else', async () => {
		const { client, subscribed } = await serving({ authorize: (topic) => decided(topic !== 'no' && topic !== 'nor') });

		sendTyped(client, '@subscribe', { topics: ['a', 'no', 'b', 'nor'] });
		await until(() => subscribed().length === 2, { what: 'the others are subscribed' });
		const refusals = () => client.texts.map(parse).filter(({ type }) => type === '@subscribe');
		await until(() => refusals().length === 2, { what: 'two topics are refused' });
		await allReceived(client);
		const frames = refusals();
		expect(frames).toEqual(
			['no', 'nor'].map((topic) => ({
				type: '@subscribe',
				error: { code: 'forbidden', message: `Not authorized to subscribe to ${topic}` },
			})),
		);
	});

	it('takes effect in order', async () => {
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

	it('treats duplicate topics as one', async () => {
		const asked: string[] = [];
		const { app, client, subscribed } = await serving({
			authorize: (topic) => decided(asked.push(topic) > 0 && topic !== 'no'),
			limits: { topicsPerSocket: 1 },
		});

		sendTyped(client, '@subscribe', { topics: ['a', 'no', 'a', 'no', 'a'] }, 'x');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [FORBIDDEN('no')] });
		expect([asked, subscribed(), app.refusals.forbidden, app.refusals.topics]).toEqual([['a', 'no'], ['a'], 1, 0]);
	});
});

describe.each<[string, (error: unknown) => Decision]>([
	[
		'throws',
		(error) => {
			throw error;
		},
	],
	['rejects', async (error) => Promise.reject(error)],
])('if authorize %s for one topic', (_, failing) => {
	it('only that topic is refused, and only the log has the cause', async () => {
		const error = new Error('postgres://admin:hunter2@db');
		const { client, subscribed, log, socketId } = await serving({
			authorize: (topic) => (topic === 'bad' ? failing(error) : true),
		});

		sendTyped(client, '@subscribe', { topics: ['a', 'bad', 'b'] }, 'x');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [INTERNAL('bad')] });
		expect(subscribed()).toEqual(['a', 'b']);
		expect(log.errors.map(({ details }) => details)).toEqual([{ socketId: socketId(), topic: 'bad', err: error }]);
	});

	it('the client receives the code and message of a SocketError', async () => {
		const { client, subscribed, log } = await serving({
			authorize: (topic) => (topic === 'full' ? failing(new SocketError('room_full', 'No seat is free')) : true),
		});

		sendTyped(client, '@subscribe', { topics: ['full', 'a'] }, 'x');
		expect(parse(await client.next())['data']).toEqual({
			...ACCEPTED,
			refused: [{ topic: 'full', code: 'room_full', message: 'No seat is free' }],
		});
		expect([subscribed(), log.errors]).toEqual([['a'], []]);
	});

	it('an error that throws when inspected is handled like any other', async () => {
		const trap = (): never => {
			throw new Error('must not be inspected');
		};
		const { client, subscribed } = await serving({
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
		expect(subscribed()).toEqual(['a']);
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
		['a rewind of 0', { topics: [{ topic: 'a', rewind: 0 }] }],
		['a bad name among them', { topics: ['a', 'no spaces'] }],
		['an empty name among them', { topics: ['a', ''] }],
		['a topic and topics', { topic: 'a', topics: ['b'] }],
		['a topic and no topics', { topic: 'a', topics: [] }],
		['topics in topics', { topics: { topics: ['a'] } }],
		['a list of lists', { topics: [['a']] }],
	])('is refused as a whole with invalid_data for %s', async (_, data) => {
		const asked: string[] = [];
		const { app, client, subscribed } = await serving({ authorize: (topic) => asked.push(topic) > 0 });

		sendTyped(client, type, data, 'x');
		expect(parse(await client.next())).toEqual({
			type,
			correlationId: 'x',
			error: { code: 'invalid_data', message: expect.stringContaining('1 to 100') as string },
		});
		expect([subscribed(), asked, app.refusals.data]).toEqual([[], [], 1]);
	});

	it('counts ten topics as one message of the rate limit', async () => {
		const { app, client } = await serving({ limits: { messagesPerSecond: 8 } });

		sendTyped(client, type, { topics: numbered(71) }, 'x');
		expect(parse(await client.next())['data']).toEqual({ ...ACCEPTED, refused: [] });
		sendTyped(client, 'topics', null, 'y');
		expect(parse(await client.next())).toMatchObject({ correlationId: 'y', error: { code: 'rate_limited' } });
		expect([app.refusals.rate, app.refusals.flood]).toEqual([1, 0]);
	});

	it('counts a message of ten topics as one message', async () => {
		const { app, client } = await serving({ limits: { messagesPerSecond: 8 } });

		for (let i = 0; i < 8; i++) sendTyped(client, type, { topics: numbered(10) }, `${i}`);
		expect((await client.received(8)).map((text) => parse(text)['data'])).toEqual(
			Array.from({ length: 8 }, () => ({ ...ACCEPTED, refused: [] })),
		);
		expect(app.refusals.rate).toBe(0);
	});

	it('counts as one message when it is refused as a whole', async () => {
		const { app, client } = await serving({ limits: { messagesPerSecond: 8 } });

		sendTyped(client, type, { topics: [...numbered(99), ''] }, 'x');
		for (let i = 0; i < 7; i++) sendTyped(client, 'topics', null, `${i}`);
		await client.received(8);
		expect(answersOf(client).slice(1)).toEqual(Array.from({ length: 7 }, (_, i) => [`${i}`, []]));
		expect(app.refusals.rate).toBe(0);
	});
});

describe('@subscribe to many topics, with a backend', () => {
	it('is answered once messages from every node arrive for all of them', async () => {
		const backend = new MemoryBackend();
		const [here, there] = [await serving({ backend }), await serving({ backend })];

		sendTyped(here.client, '@subscribe', { topics: numbered(50) }, 'x');
		await here.client.next();
		for (const topic of numbered(50)) await there.app.socket.publish(topic, `"${topic}"`);
		expect((await here.client.received(51)).slice(1)).toEqual(numbered(50).map((topic) => `"${topic}"`));
	});

	it('is not answered earlier, and does not delay other messages', async () => {
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

	it('lists the topics refused by the backend, which can be retried', async () => {
		const { client, subscribed, refuse } = await serving();

		// Sent in a separate message, because the topics of one message reach the backend in one call.
		sendTyped(client, '@subscribe', { topic: 'good' }, 'x');
		await client.next();
		refuse(new Error('no more subscriptions'));
		sendTyped(client, '@subscribe', { topics: ['good', 'bad'] }, 'y');
		const refused = await client.next((message) => parse(message)['correlationId'] === 'y');
		expect(parse(refused)['data']).toEqual({
			...ACCEPTED,
			refused: [{ topic: 'bad', code: 'unavailable', message: 'Subscription failed; try again' }],
		});
		expect(subscribed()).toEqual(['good']);
		refuse(undefined);
		sendTyped(client, '@subscribe', { topics: ['good', 'bad'] }, 'z');
		const retried = await client.next((message) => parse(message)['correlationId'] === 'z');
		expect(parse(retried)['data']).toEqual({ ...ACCEPTED, refused: [] });
		expect(subscribed()).toEqual(['good', 'bad']);
	});

	it('counts as one pending request, however many topics it has', async () => {
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

	it('logs no error if the client leaves in the meantime', async () => {
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

describe('@subscribe to many topics, while authorize is pending', () => {
	it('waits for the last decision, and the next message waits for it', async () => {
		const gates = new Map(['a', 'b'].map((topic) => [topic, Promise.withResolvers<boolean>()]));
		const { client, subscribed } = await serving({ authorize: (topic) => gates.get(topic)?.promise ?? true });

		sendTyped(client, '@subscribe', { topics: ['a', 'now', 'b'] }, 'x');
		sendTyped(client, 'topics', null, 'y');
		await allReceived(client);
		gates.get('b')?.resolve(false);
		await allReceived(client);
		expect([subscribed(), answersOf(client)]).toEqual([[], []]);
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

	it('refuses the topics that are undecided after the timeout, and subscribes to the others', async () => {
		const gate = Promise.withResolvers<boolean>();
		const { app, client, subscribed } = await serving({
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
		expect([subscribed(), app.refusals.handlerTimeout, app.refusals.forbidden]).toEqual([['a'], 1, 1]);
	});

	it('without a correlation id sends a refusal per topic after the timeout', async () => {
		const { client, subscribed } = await serving({
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
		expect(subscribed()).toEqual(['a']);
	});

	it('subscribes to nothing and logs no error once its client has disconnected', async () => {
		const gate = Promise.withResolvers<boolean>();
		const { client, connect, subscribed, log } = await serving({ authorize: () => gate.promise });

		sendTyped(client, '@subscribe', { topics: ['a', 'b'] }, 'x');
		await allReceived(client);
		await client.close();
		gate.resolve(true);
		await isServed(await connect());
		expect([subscribed(), log.errors]).toEqual([[], []]);
	});
});

describe('@unsubscribe of many topics', () => {
	it('unsubscribes from the subscribed topics and ignores the others', async () => {
		const backend = new MemoryBackend();
		const [here, there] = [await serving({ backend }), await serving({ backend })];

		sendTyped(here.client, '@subscribe', { topics: ['a', 'b', 'kept'] }, 'x');
		sendTyped(here.client, '@unsubscribe', { topics: ['a', 'never', 'b', 'a'] }, 'y');
		await here.client.received(2);
		expect(new Map(answersOf(here.client)).get('y')).toEqual({ ...ACCEPTED, refused: [] });
		expect(here.subscribed()).toEqual(['kept']);
		for (const { app } of [here, there]) {
			for (const topic of ['a', 'b', 'kept']) await app.socket.publish(topic, `"${topic}"`);
		}
		expect((await here.client.received(4)).slice(2)).toEqual(['"kept"', '"kept"']);
	});

	it('needs no authorization', async () => {
		const { client, subscribed, sockets } = await serving({ authorize: () => false });
		for (const topic of ['a', 'b']) await sockets[0]?.subscribe(topic);

		sendTyped(client, '@unsubscribe', { topics: ['a', 'b'] });
		await until(() => subscribed().length === 0, { what: 'the topics are unsubscribed' });
		await allReceived(client);
		expect(client.texts.map((text) => parse(text)['type']).filter((type) => type === '@unsubscribe')).toEqual([]);
	});
});

it.each<[string, unknown]>([
	['@ping', undefined],
	['@auth', 'token'],
	['@subscribe', { topic: 'a' }],
	['@subscribe', { topics: ['a'] }],
	['@unsubscribe', { topic: 'a' }],
	['@unsubscribe', { topics: ['a'] }],
])("the answer to %s %j contains the server's time", async (type, data) => {
	const { client } = await serving();

	const before = Date.now();
	sendTyped(client, type, data, 'x');
	const { timestamp } = parse(await client.next())['data'] as { timestamp: number };
	expect([Number.isInteger(timestamp), timestamp >= before, timestamp <= Date.now()]).toEqual([true, true, true]);
});

/**
 * Resolves once the server has processed everything the client sent earlier, because it has answered later messages.
 */
async function isServed(client: TestClient): Promise<void> {
	for (let i = 0; i < 3; i++) await allReceived(client);
}

interface Serving {
	readonly authorize?: (topic: string) => Decision;
	readonly limits?: Limits;
	readonly backend?: MemoryBackend;
}

/** Starts an application over a bus that can hold back answers or refuse channels, and connects one client. */
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
	const connect = () => connectSpeaker(ws);
	return {
		app,
		log,
		connect,
		client: await connect(),
		/** The opened sockets. */
		sockets,
		/** The id of the first socket. */
		socketId: () => sockets[0]?.data.socketId,
		/** The topics of the first socket. */
		subscribed: () => [...(sockets[0]?.data.topics ?? [])],
		/** Holds back the backend's answers. Returns a function that releases them. */
		hold() {
			const gate = Promise.withResolvers<void>();
			held = gate.promise;
			return gate.resolve;
		},
		/** Makes the backend refuse new channels with an error, or accept them again with undefined. */
		refuse(error: Error | undefined) {
			fault = error;
		},
	};
}
