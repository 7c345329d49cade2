import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage, UnknownSocketError, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
	Application,
	type AuthenticateContext,
	type ConnectionGuard,
	type GuardContext,
	type Limits,
	SocketRouter,
} from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, ACCEPTED, ANNOUNCED, parse, sendTyped } from '../test-support/typed-client.ts';

const Echo = SocketMessage.define({ name: 'echo', data: z.unknown(), reply: z.unknown() });

describe('until its guards have passed, a connection', () => {
	it('receives no messages, broadcasts or gap notices', async () => {
		const { app, connect, decide, asked, interrupt } = await guarding();
		const inside = await connect();
		sendTyped(inside, '@auth', 'in', 'in');
		await inside.next();
		const outside = await connect();
		sendTyped(outside, '@auth', 'wait', 'a');
		await until(() => asked.length === 2, { what: 'the guard runs' });

		interrupt();
		await expect(app.socket.send(String(asked[1]?.socketId), 'for you')).rejects.toThrow(UnknownSocketError);
		await app.socket.broadcast('for all');
		await inside.next((message) => message === 'for all');
		await inside.next((message) => message !== 'for all' && parse(message)['type'] === '@gap');
		await decide(true);
		sendTyped(outside, 'echo', 'x', 'b');
		await outside.received(2);
		expect(answersOf(outside)).toEqual([
			['a', { ...ACCEPTED, socketId: asked[1]?.socketId, ...ANNOUNCED }],
			['b', 'x'],
		]);
	});

	it("queues its client's messages in order, however many there are", async () => {
		const { connect, decide, asked, handled } = await guarding({ queuedMessages: 4 });
		const client = await connect();
		// Far more than one socket read returns, so the rest waits in the network buffers.
		const texts = Array.from({ length: 50 }, (_, number) => `${number} `.repeat(3_000));

		sendTyped(client, '@auth', 'wait', 'auth');
		for (const text of texts) sendTyped(client, 'echo', text);
		sendTyped(client, 'echo', 'the last one', 'b');
		await until(() => asked.length === 1, { what: 'the guard runs' });
		await decide(true);
		await client.next((message) => parse(message)['correlationId'] === 'b');
		expect(handled).toEqual([...texts, 'the last one']);
	});

	it('drops the rest of the queue when a handler closes it', async () => {
		const { connect, decide, asked, handled } = await guarding({}, undefined, 'enough');
		const client = await connect();

		sendTyped(client, '@auth', 'wait');
		for (const what of ['one', 'enough', 'too much']) sendTyped(client, 'echo', what);
		await until(() => asked.length === 1, { what: 'the guard runs' });
		await decide(true);
		expect(await client.closed).toEqual({ code: 4000, reason: 'enough' });
		expect(handled).toEqual(['one', 'enough']);
	});

	it('is not counted as a connection', async () => {
		const { provider, connect, decide, asked } = await guarding();
		const client = await connect();
		sendTyped(client, '@auth', 'wait', 'a');
		await until(() => asked.length === 1, { what: 'the guard runs' });

		expect(provider.getConnectionCount()).toBe(0);
		await decide(true);
		await client.next();
		expect(provider.getConnectionCount()).toBe(1);
	});
});

/** What the message handler sends; in a frame, because it could be mistaken for one. */
const RECEIVED = '{"correlationId":"received","data":"in"}';

describe('a first frame other than @auth', () => {
	it.each<[string, string | Uint8Array, unknown]>([
		['a typed message', '{"type":"echo","data":"x","correlationId":"a"}', ['a', 'x']],
		['a subscription', '{"type":"@subscribe","data":{"topic":"t"},"correlationId":"a"}', ['a', 'forbidden']],
		['a ping', '{"type":"@ping","correlationId":"a"}', ['a', ACCEPTED]],
		['an invalid message', '{"type":"@auth","data":"in","correlationId":7}', [undefined, 'invalid_message']],
		['text', 'in', [undefined, RECEIVED]],
		['bytes', Buffer.from('in'), [undefined, RECEIVED]],
	])('%s: ctx.auth is undefined, and the frame is handled after the guards', async (_, frame, answer) => {
		const events: unknown[] = [];
		const { connect } = await guarding({}, (ctx) => events.push((ctx as AuthenticateContext).auth) > 0);
		const client = await connect();

		client.send(frame);
		const { correlationId, data, error } = parse(await client.next()) as Record<string, { code: string } | undefined>;
		expect([correlationId, error === undefined ? data : error.code]).toEqual(answer);
		expect(events).toEqual([undefined]);
	});
});

describe('a connection whose guards take too long is closed with 4408 and never opens', () => {
	it('when its client sends nothing', async () => {
		const { app, provider, connect, asked, events } = await guarding({ guardTimeoutMs: 30 });
		const client = await connect();

		expect(await client.closed).toEqual({ code: 4408, reason: 'guards took too long' });
		expect([asked, events, provider.getConnectionCount(), app.refusals.guardTimeout]).toEqual([[], [], 0, 1]);
	});

	it('when a guard does not finish', async () => {
		const { provider, connect, decide, asked, events } = await guarding({ guardTimeoutMs: 30 });
		const client = await connect();

		sendTyped(client, '@auth', 'wait', 'a');
		sendTyped(client, 'echo', 'x', 'b');
		expect(await client.closed).toEqual({ code: 4408, reason: 'guards took too long' });
		await until(() => asked[0]?.signal.aborted === true, { what: 'the guard is aborted' });
		await decide(true);
		expect([client.messages, events, provider.getConnectionCount()]).toEqual([[], [], 0]);
	});

	it('but not if its first message arrived in time and was not read, because the process hung', async () => {
		const { app, connect } = await guarding({ guardTimeoutMs: 500 });
		const client = await connect();
		sendTyped(client, '@auth', 'in', 'a');
		const end = performance.now() + 1_000;
		while (performance.now() < end);

		expect(parse(await client.next())).toMatchObject({ type: '@auth', correlationId: 'a', data: {} });
		expect(app.refusals.guardTimeout).toBe(0);
	});

	it('while one whose guards have passed may stay silent', async () => {
		const { connect } = await guarding({ guardTimeoutMs: 30 });
		const [passed, silent] = [await connect(), await connect()];
		sendTyped(passed, '@auth', 'in', 'a');
		await passed.next();

		await silent.closed;
		sendTyped(passed, 'echo', 'still here', 'b');
		expect(parse(await passed.next())['data']).toBe('still here');
	});
});

describe('a client that leaves while a guard runs', () => {
	it.each(['close', 'terminate'] as const)(
		'by %s: aborts the signal of the guard, calls no handler and leaves nothing behind',
		async (leave) => {
			const { app, provider, connect, decide, asked, events, log } = await guarding();
			const client = await connect();
			sendTyped(client, '@auth', 'wait', 'a');
			sendTyped(client, 'echo', 'x', 'b');
			await until(() => asked.length === 1, { what: 'the guard runs' });

			await client[leave]();
			await until(() => asked[0]?.signal.aborted === true, { what: 'the guard is aborted' });
			await decide(leave === 'close');
			expect([events, provider.getConnectionCount(), provider.getTopicCount()]).toEqual([[], 0, 0]);
			expect([log.errors, app.refusals.guard, app.refusals.guardTimeout]).toEqual([[], 0, 0]);
		},
	);
});

/** Starts an application whose guard, if the client's auth is `wait`, waits until the test decides. */
async function guarding(limits: Limits = {}, guard?: ConnectionGuard<object>, closeOn?: string) {
	const log = new RecordingLogger();
	const bus = new MemoryBackend().createBus();
	const start = bus.start.bind(bus);
	let interrupt = (): void => {};
	bus.start = (handlers) => {
		interrupt = () => handlers.interrupted('all', Date.now(), 'interrupted by the test');
		return start(handlers);
	};
	const provider = new WsProvider({ bus, logger: log });
	const events: string[] = [];
	const handled: unknown[] = [];
	const asked: GuardContext[] = [];
	const decision = Promise.withResolvers<boolean>();
	const router = new SocketRouter()
		.authenticate((ctx) => {
			asked.push(ctx);
			return ctx.auth === 'wait' ? decision.promise : (guard?.(ctx) ?? true);
		})
		.on(Echo, ({ data, ws }) => {
			events.push('message');
			handled.push(data);
			if (data === closeOn) ws.close(4000, 'enough');
			return data;
		});
	const app = new Application({ logger: log }).websocket(provider, { limits }).socketRouter(router);
	app.onWebSocket({
		open: () => void events.push('open'),
		message: (ws, message) => void ws.send(JSON.stringify({ correlationId: 'received', data: String(message) })),
		close: () => void events.push('close'),
	});
	const { ws } = await serve(app);
	return {
		app,
		provider,
		log,
		/** The names of the handlers that were called. */
		events,
		/** The data of the messages that were handled. */
		handled,
		/** The contexts that the guard received. */
		asked,
		connect: () => connectSpeaker(ws),
		interrupt: () => interrupt(),
		/** Settles the guard, and waits until the server has processed its decision. */
		async decide(isAccepted: boolean) {
			decision.resolve(isAccepted);
			await new Promise((resolve) => setImmediate(resolve));
		},
	};
}
