import { connectClient, connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { InProcWsProvider, SocketError, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
	Application,
	ApplicationError,
	type EndpointEvent,
	SocketEndpoint,
	SocketRouter,
	type WebSocketOptions,
} from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { serveEndpoints } from '../test-support/serve-endpoints.ts';
import { allReceived, sendTyped } from '../test-support/typed-client.ts';

const Note = SocketMessage.define({ name: 'note', data: z.string(), reply: z.string() });

const HANDLED = { outcome: 'handled', code: undefined };

describe('onEvent() is called with each typed message', () => {
	it('that was handled: who sent it, what it was, how long it took', async () => {
		const gate = Promise.withResolvers<void>();
		let startedAt = 0;
		const router = new SocketRouter<{ user: string }>()
			.guard((ctx) => {
				ctx.state.user = 'Ada';
				return true;
			})
			.on(Note, async ({ data }) => {
				startedAt = performance.now();
				await gate.promise;
				return data;
			});
		const { client, events, untilEvents } = await connected(router, { upgrade: () => ({ tenant: 'acme' }) });

		sendTyped(client, 'note', 'x', 'a');
		await until(() => startedAt > 0, { what: 'the handler has started' });
		await allReceived(client);
		const handlerMs = performance.now() - startedAt;
		gate.resolve();
		await untilEvents(1);
		const [event] = events as [EndpointEvent];
		expect(event).toEqual({
			socketId: event.ws.data.socketId,
			ws: expect.objectContaining({ data: expect.objectContaining({ data: { tenant: 'acme' } }) }) as unknown,
			state: { user: 'Ada' },
			type: 'note',
			isKnown: true,
			correlationId: 'a',
			topic: undefined,
			...HANDLED,
			error: undefined,
			durationMs: expect.any(Number) as number,
		});
		expect(event.durationMs).toBeGreaterThan(handlerMs);
		expect(event.durationMs).toBeLessThan(5_000);
	});

	it('that was not a request, in the order of handling', async () => {
		const { client, events, untilEvents } = await connected(new SocketRouter().on(Note, ({ data }) => data));

		for (const id of ['a', undefined, 'c']) sendTyped(client, 'note', 'x', id);
		await untilEvents(3);
		expect(events.map(({ correlationId, outcome }) => [correlationId, outcome])).toEqual([
			['a', 'handled'],
			[undefined, 'handled'],
			['c', 'handled'],
		]);
	});

	it('that was refused, with the code', async () => {
		const router = new SocketRouter().on(
			Note,
			() => {
				throw new SocketError('room_full', 'Full');
			},
			{ guards: [({ data }) => data !== 'forbidden'] },
		);
		const { client, untilEvents, events } = await connected(router);

		sendTyped(client, 'note', 7, 'a');
		sendTyped(client, 'note', 'forbidden', 'b');
		sendTyped(client, 'note', 'x', 'c');
		sendTyped(client, 'made-up', 'x', 'd');
		sendTyped(client, '@future', 'x', 'e');
		sendTyped(client, '@reply', 'x', 'never asked');
		client.send('{"type":"note","data":{"__proto__":1},"correlationId":"f"}');
		client.send('not a message');
		await untilEvents(8);
		expect(
			events.map(({ type, isKnown, correlationId, outcome, code }) => [type, isKnown, correlationId, outcome, code]),
		).toEqual([
			['note', true, 'a', 'refused', 'invalid_data'],
			['note', true, 'b', 'refused', 'forbidden'],
			['note', true, 'c', 'refused', 'room_full'],
			['made-up', false, 'd', 'refused', 'unknown_type'],
			['@future', false, 'e', 'refused', 'unknown_type'],
			['@reply', true, 'never asked', 'refused', 'invalid_message'],
			['note', true, 'f', 'refused', 'invalid_message'],
			['', false, undefined, 'refused', 'invalid_message'],
		]);
	});

	it('that exceeded the rate limit', async () => {
		const limits = { messagesPerSecond: 5 };
		const { client, events, untilEvents } = await connected(
			new SocketRouter().on(Note, ({ data }) => data),
			{ limits },
		);

		for (let i = 0; i < 8; i++) sendTyped(client, 'note', 'x', String(i));
		await untilEvents(8);
		expect(events.at(-1)).toMatchObject({ type: 'note', outcome: 'refused', code: 'rate_limited', durationMs: 0 });
	});

	it('that failed, with the error; once, even if a handler that timed out ends later', async () => {
		const gate = Promise.withResolvers<void>();
		const router = new SocketRouter().on(Note, async ({ data }) => {
			if (data === 'bug') throw new Error('a bug');
			await gate.promise;
			return data;
		});
		const { client, events, untilEvents } = await connected(router, { limits: { handlerTimeoutMs: 50 } });

		sendTyped(client, 'note', 'bug', 'a');
		sendTyped(client, 'note', 'slow', 'b');
		await untilEvents(2);
		gate.resolve();
		sendTyped(client, 'note', 'quick', 'c');
		await untilEvents(3);
		expect(events).toMatchObject([
			{ correlationId: 'a', outcome: 'failed', code: 'internal', error: new Error('a bug') },
			{ correlationId: 'b', outcome: 'failed', code: 'timeout', error: undefined },
			{ correlationId: 'c', ...HANDLED },
		]);
	});

	it('whose client left before the handler was done', async () => {
		const started = Promise.withResolvers<void>();
		const gate = Promise.withResolvers<void>();
		const router = new SocketRouter().on(Note, async (ctx) => {
			started.resolve();
			await gate.promise;
			await ctx.subscribe('room');
			return 'done';
		});
		const { client, events, untilEvents, closed } = await connected(router);

		sendTyped(client, 'note', 'x', 'a');
		await started.promise;
		await client.close();
		await closed;
		gate.resolve();
		await untilEvents(1);
		expect(events).toMatchObject([{ type: 'note', outcome: 'failed', code: 'disconnected' }]);
	});

	it('that middleware answered, and those of onUnknown(), whose types are not known', async () => {
		const router = new SocketRouter().use((_, next) => next()).onUnknown(() => 'legacy');
		const { client, events, untilEvents } = await connected(router);

		sendTyped(client, 'old.note', 'x', 'a');
		await untilEvents(1);
		expect(events).toMatchObject([{ type: 'old.note', isKnown: false, ...HANDLED }]);
	});

	it('for a topic: one event for each, with its own outcome', async () => {
		const { client, events, untilEvents } = await connected(new SocketRouter(), {
			authorize: { subscribe: async (_, topic) => topic !== 'secret' },
		});

		sendTyped(client, '@subscribe', { topics: ['lobby', 'secret'] }, 'a');
		await untilEvents(2);
		sendTyped(client, '@unsubscribe', { topic: 'lobby' }, 'b');
		await untilEvents(3);
		sendTyped(client, '@subscribe', { topic: 'not a topic' }, 'c');
		await untilEvents(4);
		sendTyped(client, '@history', { topic: 'lobby', limit: 1 }, 'd');
		sendTyped(client, '@history', { topic: 'log', limit: 1 }, 'e');
		await untilEvents(6);
		expect(events.map(({ type, topic, isKnown, outcome, code }) => [type, topic, isKnown, outcome, code])).toEqual([
			['@subscribe', 'lobby', true, 'handled', undefined],
			['@subscribe', 'secret', true, 'refused', 'forbidden'],
			['@unsubscribe', 'lobby', true, 'handled', undefined],
			['@subscribe', undefined, true, 'refused', 'invalid_data'],
			['@history', 'lobby', true, 'refused', 'invalid_data'],
			['@history', 'log', true, 'handled', undefined],
		]);
	});

	it('but not with heartbeats and text that goes to the message handler', async () => {
		const log = new RecordingLogger();
		const events: EndpointEvent[] = [];
		const app = new Application({ logger: log })
			.websocket({ unknownMessages: 'raw' })
			.onWebSocket({ message() {} })
			.socketRouter(new SocketRouter().on(Note, ({ data }) => data))
			.onEvent((event) => events.push(event));
		const client = await connectSpeaker((await serve(app)).ws);

		client.send('plain text');
		sendTyped(client, 'legacy');
		sendTyped(client, 'note', 'x');
		await allReceived(client);
		expect(events.map(({ type }) => type)).toEqual(['note']);
	});
});

describe('a listener of onEvent()', () => {
	it.each<[string, () => unknown]>([
		[
			'throws',
			() => {
				throw new Error('a bug');
			},
		],
		['rejects', () => Promise.reject(new Error('a bug'))],
	])('that %s is logged, once for many events, and affects neither answers nor other listeners', async (_, fail) => {
		const log = new RecordingLogger();
		const events: EndpointEvent[] = [];
		const app = new Application({ logger: log })
			.websocket()
			.onEvent(fail)
			.onEvent((event) => events.push(event))
			.socketRouter(new SocketRouter().on(Note, ({ data }) => data));
		const client = await connectSpeaker((await serve(app)).ws);

		for (let i = 0; i < 20; i++) sendTyped(client, 'note', String(i), String(i));
		await client.received(20);
		await until(() => events.length === 20, { what: 'all events are reported' });
		await log.untilErrors(1);
		expect(log.errors).toEqual([
			{
				level: 'error',
				message: 'A listener of onEvent failed',
				details: { socketId: events[0]?.socketId, type: 'note', err: new Error('a bug') },
			},
		]);
	});

	it.each([undefined, 'log', {}])('must be a function, not %j', (listener) => {
		expect(() => new Application().websocket().onEvent(listener as never)).toThrow(
			'onEvent(): listener must be a function, not ',
		);
	});

	it('needs an endpoint', () => {
		expect(() => new Application().onEvent(() => {})).toThrow(
			new ApplicationError('onEvent() needs an endpoint: call websocket() first'),
		);
	});

	it('must be added before the application listens', async () => {
		const app = new Application();
		await serve(app);
		expect(() => app.onEvent(() => {})).toThrow(new ApplicationError('onEvent() must come before listen()'));
	});
});

describe('onEvent() of a SocketEndpoint', () => {
	const endpoint = (path: string, events: EndpointEvent[], provider?: InProcWsProvider): SocketEndpoint =>
		new SocketEndpoint(provider, { path, logger: new RecordingLogger(), authorize: { subscribe: () => true } })
			.socketRouter(new SocketRouter().on(Note, ({ data }) => data))
			.onWebSocket({ message() {} })
			.onEvent((event) => events.push(event));

	it('is called with the messages of its own clients that speak the protocol, and no others', async () => {
		const provider = new InProcWsProvider({ logger: new RecordingLogger() });
		const [users, admins]: EndpointEvent[][] = [[], []];
		const { ws, http } = await serveEndpoints(
			endpoint('/ws', users as EndpointEvent[], provider),
			endpoint('/admin', admins as EndpointEvent[], provider),
		);
		const plain = await connectClient(ws);
		plain.send('{"type":"note","data":"x","correlationId":"plain"}');
		const [user, admin] = [await connectSpeaker(ws), await connectSpeaker(`${http}/admin`)];
		sendTyped(user, 'note', 'x', 'a');
		sendTyped(admin, '@subscribe', { topic: 'news' }, 'b');
		sendTyped(admin, 'note', 7, 'c');
		await Promise.all([user.received(1), admin.received(2)]);

		const shown = (events: readonly EndpointEvent[] = []): unknown[] =>
			events.map(({ type, topic, correlationId, outcome, code }) => [type, topic, correlationId, outcome, code]);
		expect(shown(users)).toEqual([['note', undefined, 'a', 'handled', undefined]]);
		expect(shown(admins)).toEqual([
			['@subscribe', 'news', 'b', 'handled', undefined],
			['note', undefined, 'c', 'refused', 'invalid_data'],
		]);
		expect(plain.messages).toEqual([]);
	});

	it('must be called before start(), also if an application owns the endpoint', async () => {
		const alone = new SocketEndpoint({ logger: new RecordingLogger() });
		await serveEndpoints(alone);
		expect(() => alone.onEvent(() => {})).toThrow(new ApplicationError('onEvent() must come before start()'));

		const events: EndpointEvent[] = [];
		const app = new Application({ logger: new RecordingLogger() }).websocket();
		const admin = app
			.endpoint('/admin')
			.socketRouter(new SocketRouter().on(Note, ({ data }) => data))
			.onEvent((event) => events.push(event));
		const { http } = await serve(app);
		expect(() => admin.onEvent(() => {})).toThrow(new ApplicationError('onEvent() must come before listen()'));
		const client = await connectSpeaker(`${http}/admin`);
		sendTyped(client, 'note', 'x', 'a');
		await until(() => events.length === 1, { what: 'the event is reported' });
		expect(events).toMatchObject([{ type: 'note', ...HANDLED }]);
	});
});

interface Connected {
	readonly client: TestClient;
	readonly events: readonly EndpointEvent[];
	/** Resolves once this many events have been reported. */
	readonly untilEvents: (count: number) => Promise<void>;
	/** Resolves when the server has closed the connection. */
	readonly closed: Promise<void>;
}

async function connected(router: SocketRouter<any>, options: WebSocketOptions = {}): Promise<Connected> {
	const logger = new RecordingLogger();
	const events: EndpointEvent[] = [];
	const closed = Promise.withResolvers<void>();
	const app = new Application({ logger })
		.websocket(new InProcWsProvider({ logger, history: { log: { size: 10, ttlMs: 60_000 } } }), options)
		.onWebSocket({ close: () => closed.resolve() })
		.socketRouter(router)
		.onEvent((event) => events.push(event));
	const client = await connectSpeaker((await serve(app)).ws);
	const untilEvents = (count: number): Promise<void> =>
		until(() => events.length >= count, { what: `${count} events are reported` });
	return { client, events, untilEvents, closed: closed.promise };
}
