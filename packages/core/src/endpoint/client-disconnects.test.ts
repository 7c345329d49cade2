import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage, UnknownSocketError } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter, type WebSocketHandlers } from '../index.ts';
import { serve } from '../test-support/serve.ts';

const Question = SocketMessage.define({ name: 'question', data: z.null(), reply: z.null() });

const uses: readonly [string, (ws: AppSocket) => Promise<void>][] = [
	['subscribe', (ws) => ws.subscribe('t')],
	['publish', (ws) => ws.publish('t', 'x')],
];

describe.each(uses)('a client that disconnects before its handler calls ws.%s', (_, use) => {
	it.each(['open', 'message'] as const)('is not an error in %s, and logged at debug', async (handler) => {
		const closed = Promise.withResolvers<void>();
		const { url, app, log } = await listening({
			[handler]: async (ws: AppSocket) => {
				await closed.promise;
				await use(ws);
			},
			close: () => closed.resolve(),
		});
		const client = await connectSpeaker(url);
		if (handler === 'message') client.send('go');
		await client.close();

		const logged = (): unknown => log.lines.find(({ level }) => level === 'debug');
		await until(() => logged() !== undefined, { what: 'it is logged' });
		expect(logged()).toEqual({
			level: 'debug',
			message: `The ${handler} handler was cut short because the client disconnected`,
			details: { socketId: expect.any(String) as string, err: expect.any(UnknownSocketError) as UnknownSocketError },
		});
		await app.stop();
		expect(log.errors).toEqual([]);
	});
});

describe('a client that disconnects before its handler calls ws.unsubscribe', () => {
	it.each(['open', 'message', 'close'] as const)(
		'is no longer in any topic: the call in %s resolves',
		async (handler) => {
			const closed = Promise.withResolvers<void>();
			const done = Promise.withResolvers<void>();
			const { url, log } = await listening({
				close: () => closed.resolve(),
				[handler]: async (ws: AppSocket) => {
					if (handler === 'close') closed.resolve();
					await closed.promise;
					await ws.unsubscribe('t').then(done.resolve, done.reject);
				},
			});
			const client = await connectSpeaker(url);
			if (handler === 'message') client.send('go');
			await client.close();

			await done.promise;
			expect(log.lines).toEqual([]);
		},
	);

	it('still gets an error for an invalid topic', async () => {
		const thrown = Promise.withResolvers<unknown>();
		const { url } = await listening({
			close: (ws) => ws.unsubscribe('not a topic').catch((error: unknown) => thrown.resolve(error)),
		});
		await (await connectSpeaker(url)).close();

		expect(await thrown.promise).toMatchObject({ name: 'InvalidTopicError' });
	});
});

it("a disconnect while a handler waits for the client's reply is not an error", async () => {
	const log = new RecordingLogger();
	const app = new Application({ logger: log }).websocket({ authorize: {} }).onWebSocket({
		async message(ws) {
			await app.socket.request(ws.data.socketId, Question, null);
		},
	});
	const client = await connectSpeaker((await serve(app)).ws);
	client.send('go');
	await client.next();
	await client.close();

	await until(() => log.lines.length > 0, { what: 'it is logged' });
	expect(log.lines).toMatchObject([
		{ level: 'debug', message: 'The message handler was cut short because the client disconnected' },
	]);
});

it('a handler that uses its socket after the server has closed it is not logged as an error', async () => {
	const log = new RecordingLogger();
	const used = Promise.withResolvers<unknown>();
	const router = new SocketRouter().on(Question, async (ctx) => {
		ctx.ws.close();
		const subscribing = ctx.subscribe('t');
		used.resolve(subscribing.catch((error: unknown) => error));
		await subscribing;
		return null;
	});
	const app = new Application({ logger: log }).websocket().socketRouter(router);
	const client = await connectSpeaker((await serve(app)).ws);
	client.send('{"type":"question","data":null}');

	expect(await used.promise).toBeInstanceOf(UnknownSocketError);
	await app.stop();
	expect(log.problems).toEqual([]);
});

describe('an UnknownSocketError is logged as an error', () => {
	it('for another socket', async () => {
		const closed = Promise.withResolvers<void>();
		const { url, log, provider } = await listening({
			async open() {
				await closed.promise;
				await provider.subscribe(crypto.randomUUID(), 't');
			},
			close: () => closed.resolve(),
		});
		await (await connectSpeaker(url)).close();

		await log.untilErrors(1);
		expect(log.errors[0]?.message).toBe('The open handler failed');
	});

	it('for a socket that is open', async () => {
		const { url, log, provider } = await listening({
			async open(ws) {
				provider.removeConnection(ws.data.socketId);
				await ws.subscribe('t');
			},
		});
		const { closed } = await connectSpeaker(url);

		expect(await closed).toEqual({ code: 1011, reason: 'open failed' });
		expect(log.errors.map(({ message }) => message)).toEqual(['The open handler failed']);
	});

	it('in close, where ws.publish never works', async () => {
		const { url, log } = await listening({ close: (ws) => ws.publish('t', 'left') });
		await (await connectSpeaker(url)).close();

		await log.untilErrors(1);
		expect(log.errors[0]?.message).toBe('The close handler failed');
	});
});

async function listening(handlers: WebSocketHandlers) {
	const log = new RecordingLogger();
	const provider = new InProcWsProvider({ logger: log });
	const app = new Application({ logger: log }).websocket(provider).onWebSocket(handlers);
	const { ws: url } = await serve(app);
	return { url, app, log, provider };
}
