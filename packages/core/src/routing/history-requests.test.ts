import { connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { type HistoryStore, InProcWsProvider, SocketError, SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, type Authorize, type Limits, SocketRouter } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { type Address, serve } from '../test-support/serve.ts';
import { ACCEPTED, allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const HISTORY = { 'chat:*': { size: 2_000, ttlMs: 600_000 }, 'few:*': { size: 3, ttlMs: 600_000 } };
const Note = SocketMessage.define({ name: 'note', data: z.string() });

interface Position {
	readonly epoch: string;
	readonly offset: number;
}

interface Page extends Position {
	readonly messages: readonly { readonly data: string; readonly position: Position }[];
	readonly hasMore: boolean;
	readonly recovered: boolean;
}

interface Serving {
	readonly app: Application;
	readonly provider: InProcWsProvider;
	readonly at: Address;
	/** Publishes texts to a topic, one after the other. */
	publish(topic: string, ...texts: string[]): Promise<void>;
	/** Connects a client. */
	connect(): Promise<TestClient>;
}

interface Setup {
	readonly authorize?: Authorize;
	readonly limits?: Limits;
}

async function serving({ authorize = { subscribe: () => true }, limits = {} }: Setup = {}): Promise<Serving> {
	const logger = new RecordingLogger();
	const provider = new InProcWsProvider({ logger, history: HISTORY });
	const app = new Application({ logger, signals: false })
		.websocket(provider, { authorize, limits })
		.socketRouter(new SocketRouter().on(SocketMessage.define({ name: 'any', data: z.unknown() }), () => {}));
	const at = await serve(app);
	return {
		app,
		provider,
		at,
		async publish(topic, ...texts) {
			for (const text of texts) await app.socket.emit(Note, topic, text);
		},
		connect: () => connectSpeaker(at.ws),
	};
}

interface ServingStore {
	readonly app: Application;
	readonly ws: string;
	readonly logger: RecordingLogger;
	readonly store: HistoryStore;
}

/** Serves histories from a store whose methods a test can replace. */
async function servingStore(limits: Limits = {}): Promise<ServingStore> {
	const logger = new RecordingLogger();
	const bus = new MemoryBackend().createBus();
	const { history: store } = bus;
	if (store === undefined) throw new Error('the memory bus has a history');
	const provider = new WsProvider({ bus, logger, history: HISTORY });
	const authorize = { subscribe: () => true };
	const app = new Application({ logger, signals: false }).websocket(provider, { authorize, limits });
	const { ws } = await serve(app);
	return { app, ws, logger, store };
}

/** Requests a page; resolves with the whole answer. */
async function answerTo(client: TestClient, data: unknown): Promise<Record<string, unknown>> {
	const id = crypto.randomUUID();
	sendTyped(client, '@history', data, id);
	return parse(await client.next((message) => parse(message)['correlationId'] === id));
}

async function pageOf(client: TestClient, data: unknown): Promise<Page> {
	const answer = await answerTo(client, data);
	expect(answer).toMatchObject({ type: '@history', data: ACCEPTED });
	return answer['data'] as Page;
}

function summary({ messages, hasMore, recovered }: Page): unknown[] {
	return [messages.map(({ data }) => data), hasMore, recovered];
}

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

describe('@history', () => {
	it('answers the latest messages as they were delivered, to a client that is not subscribed', async () => {
		const { connect, publish } = await serving();
		const [reader, subscriber] = await Promise.all([connect(), connect()]);
		sendTyped(subscriber, '@subscribe', { topic: 'chat:1' }, 'x');
		await subscriber.next((text) => parse(text)['correlationId'] === 'x');
		await publish('chat:1', 'a', 'b "quoted" é\u2028');
		const notes = (): Record<string, unknown>[] => subscriber.texts.map(parse).filter(({ name }) => name === 'note');
		await until(() => notes().length === 2, { what: 'both are delivered' });
		const delivered = notes();
		const page = await pageOf(reader, { topic: 'chat:1' });
		const { epoch, offset } = delivered[1]!['position'] as Position;
		expect(page).toEqual({ ...ACCEPTED, messages: delivered, epoch, offset, hasMore: false, recovered: true });
	});

	it('pages backwards, forwards and up to a position', async () => {
		const { connect, publish } = await serving();
		await publish('chat:1', ...DIGITS);
		const client = await connect();
		const latest = await pageOf(client, { topic: 'chat:1', limit: 4 });
		expect(summary(latest)).toEqual([['6', '7', '8', '9'], true, true]);
		const before = latest.messages[0]!.position;
		const older = await pageOf(client, { topic: 'chat:1', before, limit: 6 });
		expect(summary(older)).toEqual([['0', '1', '2', '3', '4', '5'], false, true]);
		const since = older.messages[1]!.position;
		expect(summary(await pageOf(client, { topic: 'chat:1', since, limit: 3 }))).toEqual([['2', '3', '4'], true, true]);
		expect(summary(await pageOf(client, { topic: 'chat:1', upTo: since, limit: 5 }))).toEqual([
			['0', '1'],
			false,
			true,
		]);
		expect(summary(await pageOf(client, { topic: 'chat:1', since: latest }))).toEqual([[], false, true]);
	});

	it('says if the messages at a position are no longer known', async () => {
		const { connect, publish } = await serving();
		await publish('few:1', 'a');
		const client = await connect();
		const since = await pageOf(client, { topic: 'few:1' });
		await publish('few:1', 'b', 'c', 'd');
		expect(summary(await pageOf(client, { topic: 'few:1', since }))).toEqual([['b', 'c', 'd'], false, true]);
		await publish('few:1', 'e');
		expect(summary(await pageOf(client, { topic: 'few:1', since }))).toEqual([[], false, false]);
		for (const name of ['since', 'before', 'upTo']) {
			const lost = { topic: 'few:1', [name]: { epoch: 'another', offset: 5 } };
			expect(summary(await pageOf(client, lost))).toEqual([[], false, false]);
		}
	});

	it('has 100 messages without a limit, and at most 1,000', async () => {
		const { connect, provider } = await serving();
		await Promise.all(Array.from({ length: 1_100 }, (_, i) => provider.publish('chat:1', `${i}`)));
		const client = await connect();
		expect(summary(await pageOf(client, { topic: 'chat:1' }))[0]).toHaveLength(100);
		const most = await pageOf(client, { topic: 'chat:1', limit: 1_000 });
		expect([most.messages.length, most.hasMore]).toEqual([1_000, true]);
	});

	it('ends at 256 KiB of messages, but always has one', async () => {
		const { connect, publish } = await serving({ limits: { queuedBytes: 64 * 1024 * 1024 } });
		const large = 'x'.repeat(50 * 1024);
		await publish('chat:1', ...Array.from({ length: 12 }, () => large), 'y'.repeat(300 * 1024), 'small');
		const client = await connect();
		const sizes: number[] = [];
		let page = await pageOf(client, { topic: 'chat:1', limit: 100 });
		for (;;) {
			sizes.unshift(page.messages.length);
			if (!page.hasMore) break;
			page = await pageOf(client, { topic: 'chat:1', before: page.messages[0]!.position, limit: 100 });
		}
		// The size of the message before which a page is read counts towards the bound, too.
		expect(sizes.reduce((sum, size) => sum + size)).toBe(14);
		expect(Math.max(...sizes)).toBe(4);
		expect(sizes.slice(-3)).toEqual([1, 1, 1]);
		const { epoch } = page;
		const first = await pageOf(client, { topic: 'chat:1', since: { epoch, offset: 0 }, limit: 100 });
		expect([first.messages.length, first.hasMore]).toEqual([5, true]);
	});

	it('is at most a quarter of what may wait to be sent to a client', async () => {
		const { connect, publish } = await serving({ limits: { queuedBytes: 64 * 1024 } });
		await publish('chat:1', ...Array.from({ length: 40 }, () => 'x'.repeat(1_024)));
		const { messages, hasMore } = await pageOf(await connect(), { topic: 'chat:1' });
		expect([messages.length, hasMore]).toEqual([15, true]);
	});

	it('contains text and bytes', async () => {
		const { connect, provider } = await serving();
		await provider.publish('chat:1', 'plain');
		await provider.publish('chat:1', Uint8Array.of(0, 255, 1));
		const { messages } = await pageOf(await connect(), { topic: 'chat:1' });
		expect(messages).toMatchObject([
			{ name: '@text', data: 'plain', topic: 'chat:1' },
			{ name: '@bytes', data: 'AP8B', topic: 'chat:1', values: [['arraybuffer']] },
		]);
	});
});

describe('@history is authorized as a subscription is', () => {
	it('and refused with forbidden', async () => {
		const asked: unknown[] = [];
		const { connect, publish, app } = await serving({
			authorize: {
				subscribe: async (ws: AppSocket, topic: string) => {
					asked.push([ws.data.socketId.length, topic]);
					return topic !== 'chat:secret';
				},
			},
		});
		await publish('chat:secret', 'hidden');
		const client = await connect();
		expect(await answerTo(client, { topic: 'chat:secret' })).toMatchObject({
			error: { code: 'forbidden', message: 'Not authorized to read chat:secret' },
		});
		expect(await pageOf(client, { topic: 'chat:open' })).toMatchObject({ messages: [] });
		sendTyped(client, '@history', { topic: 'chat:secret' });
		await until(() => client.texts.length === 3, { what: 'the message that is no request is refused as well' });
		expect(client.texts.join()).not.toContain('hidden');
		expect(app.refusals.forbidden).toBe(2);
		expect(asked[0]).toEqual([36, 'chat:secret']);
	});

	it('and refused with the codes of the application', async () => {
		const { connect } = await serving({
			authorize: {
				subscribe: () => {
					throw new SocketError('not_paid', 'Pay first');
				},
			},
		});
		expect(await answerTo(await connect(), { topic: 'chat:1' })).toMatchObject({
			error: { code: 'not_paid', message: 'Pay first' },
		});
	});

	it('and refused with timeout if the application does not decide', async () => {
		const { connect, app } = await serving({
			authorize: { subscribe: () => new Promise<boolean>(() => {}) },
			limits: { handlerTimeoutMs: 50 },
		});
		expect(await answerTo(await connect(), { topic: 'chat:1' })).toMatchObject({ error: { code: 'timeout' } });
		expect(app.refusals.handlerTimeout).toBe(1);
	});
});

describe('@history is refused', () => {
	it.each([
		['without data', null],
		['without a topic', { limit: 5 }],
		['for an invalid topic', { topic: 'no spaces' }],
		['with a limit of 0', { topic: 'chat:1', limit: 0 }],
		['with a limit above 1,000', { topic: 'chat:1', limit: 1_001 }],
		['with a limit that is text', { topic: 'chat:1', limit: '5' }],
		['with a position that is text', { topic: 'chat:1', before: 'now' }],
		['with a position that is null', { topic: 'chat:1', since: null }],
		['with two positions', { topic: 'chat:1', since: { epoch: 'e', offset: 1 }, upTo: { epoch: 'e', offset: 1 } }],
	])('%s', async (_, data) => {
		const { connect, app } = await serving();
		const { error } = (await answerTo(await connect(), data)) as { error: { code: string; message: string } };
		expect(error.code).toBe('invalid_data');
		expect(error.message).toContain('a limit of 1 to 1000');
		expect(app.refusals.data).toBe(1);
	});

	it('for a topic without history', async () => {
		const { connect } = await serving();
		expect(await answerTo(await connect(), { topic: 'plain' })).toMatchObject({
			error: { code: 'invalid_data', message: 'plain has no history' },
		});
	});

	it('while too many requests are pending', async () => {
		const { ws, app, store } = await servingStore({ pendingRequests: 2 });
		const reads = Promise.withResolvers<void>();
		const { read } = store;
		store.read = async (...query) => {
			await reads.promise;
			return read.apply(store, query);
		};
		const client = await connectSpeaker(ws);
		for (const id of ['a', 'b', 'c']) sendTyped(client, '@history', { topic: 'chat:1' }, id);
		await until(() => client.texts.length === 1, { what: 'the third is refused' });
		reads.resolve();
		await until(() => client.texts.length === 3, { what: 'the others are answered' });
		expect(answersOf(client).map(([id, answer]) => (typeof answer === 'string' ? [id, answer] : id))).toEqual([
			['c', 'too_many_requests'],
			'a',
			'b',
		]);
		expect(app.refusals.requests).toBe(1);
	});

	it('with unavailable if the history cannot be read within two seconds', async () => {
		const { ws, store, logger } = await servingStore();
		store.read = () => Promise.reject(new Error('wrong type'));
		expect(await answerTo(await connectSpeaker(ws), { topic: 'chat:1' })).toMatchObject({
			error: { code: 'unavailable', message: 'The history could not be read; try again' },
		});
		expect(logger.errors.map(({ message }) => message)).toEqual(['WebSocket failure (history): wrong type']);
	});
});

describe('@history costs', () => {
	it('one message of the rate, whatever its limit', async () => {
		const { connect } = await serving({ limits: { messagesPerSecond: 20 } });
		const outcomes = async (limits: readonly number[]): Promise<unknown[]> => {
			const client = await connect();
			for (const [i, limit] of limits.entries()) sendTyped(client, '@history', { topic: 'chat:1', limit }, `${i}`);
			await until(() => client.texts.length === limits.length, { what: 'all are answered' });
			const answers = new Map(answersOf(client));
			return limits.map((_, i) => answers.get(`${i}`) === 'rate_limited');
		};
		const limits = Array.from({ length: 20 }, () => 1_000);
		expect(await outcomes(limits)).toEqual(limits.map(() => false));
		expect((await outcomes([...limits, 1])).at(-1)).toBe(true);
	});

	it('no client its connection, however large the answers are, and even if it reads late', async () => {
		const { at, publish, app } = await serving();
		await publish('chat:1', ...Array.from({ length: 60 }, () => 'x'.repeat(60 * 1024)));
		const client = await connectRawWebSocket(at.port);
		client.pause();
		const ids = Array.from({ length: 50 }, (_, i) => `${i}`);
		for (const correlationId of ids) {
			client.send(JSON.stringify({ type: '@history', data: { topic: 'chat:1' }, correlationId }));
		}
		await allReceived(await connectSpeaker(at.ws));
		client.resume();
		await until(() => client.texts.length === ids.length, { what: 'all are answered', timeoutMs: 15_000 });
		expect(client.texts.map((text) => parse(text)['correlationId'])).toEqual(ids);
		expect(app.refusals.slowReader).toBe(0);
	});

	it('the memory of a few answers for a client that does not read; later requests are refused with timeout', async () => {
		const { at, publish, app } = await serving({ limits: { handlerTimeoutMs: 100 } });
		await publish('chat:1', ...Array.from({ length: 60 }, () => 'x'.repeat(60 * 1024)));
		const client = await connectRawWebSocket(at.port);
		client.pause();
		for (let i = 0; i < 90; i++) {
			client.send(JSON.stringify({ type: '@history', data: { topic: 'chat:1' }, correlationId: `${i}` }));
		}
		await until(() => app.refusals.handlerTimeout > 50, { what: 'the server stops waiting' });
		client.resume();
		await until(() => client.texts.length === 90, { what: 'all are answered', timeoutMs: 15_000 });
		const codes = client.texts.map((text) => (parse(text)['error'] as { code: string } | undefined)?.code);
		expect(new Set(codes)).toEqual(new Set([undefined, 'timeout']));
		expect(codes.filter((code) => code === 'timeout').length).toBe(app.refusals.handlerTimeout);
		expect(app.refusals.slowReader).toBe(0);
	});
});
