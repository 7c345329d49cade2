import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, type Limits, SocketRouter } from '../index.ts';
import { allReceived, parse, sendTyped } from '../test-support/typed-client.ts';
import { serve } from '../test-support/serve.ts';

const KIB = 1024;
const Job = SocketMessage.define({ name: 'job', data: z.string(), reply: z.string() });
const Ask = SocketMessage.define({ name: 'ask', data: z.null(), reply: z.string() });
/** Small enough that the kernel's buffers, which fill after a pause, don't matter. */
const LIMITS: Limits = { queuedMessageBytes: 64 * KIB, messagesPerSecond: Infinity, bytesPerSecond: Infinity };

async function serving(limits: Limits = {}) {
	const gate = Promise.withResolvers<void>();
	const sockets: AppSocket[] = [];
	const handled: string[] = [];
	const router = new SocketRouter().on(Job, async (ctx) => {
		handled.push(ctx.data);
		await gate.promise;
		return ctx.data.slice(0, 8);
	});
	const app = new Application({ logger: new RecordingLogger() })
		.websocket({ limits: { ...LIMITS, ...limits } })
		.socketRouter(router)
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const { ws } = await serve(app);
	const client = await connectSpeaker(ws);
	const [socket] = sockets as [AppSocket];
	return { app, gate, handled, client, socket };
}

describe('messages waiting for their turn', () => {
	it.each([
		['bytes', '', 16 * KIB],
		['bytes in memory: two per character of text that is not all ASCII', 'é', 8 * KIB],
	])('are limited in %s', async (_, prefix, length) => {
		const { gate, handled, client, socket } = await serving();
		const texts = Array.from({ length: 40 }, (__, i) => `${prefix}${i}`.padEnd(length, 'x'));
		// The first is being handled, and the others wait.
		for (const text of texts.slice(0, 4)) sendTyped(client, 'job', text);
		await allReceived(client);
		expect(socket.isPaused).toBe(false);
		sendTyped(client, 'job', texts[4]);
		await until(() => socket.isPaused, { what: 'reading is paused' });

		for (const text of texts.slice(5)) sendTyped(client, 'job', text);
		expect(handled).toHaveLength(1);
		gate.resolve();
		await until(() => handled.length === texts.length, { what: 'all are handled' });
		expect(handled).toEqual(texts);
		expect(socket.isPaused).toBe(false);
	});

	it('are read again once no more than half the bytes are waiting', async () => {
		const running: (() => void)[] = [];
		const isPaused: boolean[] = [];
		const router = new SocketRouter().on(Job, (ctx) => {
			isPaused.push(ctx.ws.isPaused);
			const { promise, resolve } = Promise.withResolvers<string>();
			running.push(() => resolve(''));
			return promise;
		});
		const app = new Application({ logger: new RecordingLogger() }).websocket({ limits: LIMITS }).socketRouter(router);
		const sockets: AppSocket[] = [];
		app.onWebSocket({ open: (ws) => void sockets.push(ws) });
		const client = await connectSpeaker((await serve(app)).ws);
		for (let i = 0; i < 6; i++) sendTyped(client, 'job', 'x'.repeat(16 * KIB));
		await until(() => sockets[0]?.isPaused === true, { what: 'reading is paused' });
		for (let done = 0; done < 5; done++) {
			running[done]?.();
			await until(() => running.length === done + 2, { what: `message ${done + 2} is handled` });
		}

		running[5]?.();

		// Four or five waited when reading was paused, depending on how much had been read.
		expect(isPaused.slice(0, 3)).toEqual([false, true, true]);
		expect(sockets[0]?.isPaused).toBe(false);
	});

	it.each<[string, string | Uint8Array, number]>([
		['bytes of binary messages', new Uint8Array(16 * KIB), 5],
		['what tiny messages take in addition to their bytes', '1', 1_025],
	])('are limited in %s', async (_, message, count) => {
		const gate = Promise.withResolvers<void>();
		const sockets: AppSocket[] = [];
		let handled = 0;
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({ limits: { ...LIMITS, queuedMessages: Infinity } })
			.onWebSocket({
				open: (ws) => void sockets.push(ws),
				message() {
					handled++;
					return gate.promise;
				},
			});
		const client = await connectSpeaker((await serve(app)).ws);
		for (let i = 0; i < count; i++) client.send(message);
		await until(() => sockets[0]?.isPaused === true, { what: 'reading is paused' });

		gate.resolve();
		await until(() => handled === count, { what: 'all are handled' });
		expect(sockets[0]?.isPaused).toBe(false);
	});

	it('may be one message larger than the limit', async () => {
		const { gate, handled, client, socket } = await serving({ queuedMessageBytes: 1 });
		for (const text of ['a', 'b', 'c']) sendTyped(client, 'job', text.repeat(8));
		await until(() => socket.isPaused, { what: 'reading is paused' });
		gate.resolve();
		await until(() => handled.length === 3, { what: 'all are handled' });
		expect(handled.map(([letter]) => letter)).toEqual(['a', 'b', 'c']);
	});

	it('are limited in bytes while the guards run', async () => {
		const gate = Promise.withResolvers<boolean>();
		const handled: string[] = [];
		const sockets: AppSocket[] = [];
		const router = new SocketRouter()
			.authenticate((ctx) => ctx.auth === 'in' || gate.promise)
			.on(Job, (ctx) => {
				handled.push(ctx.data);
				return '';
			});
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({ limits: LIMITS })
			.socketRouter(router)
			.onWebSocket({ open: (ws) => void sockets.push(ws) });
		const { ws } = await serve(app);
		sendTyped(await connectSpeaker(ws), '@auth', 'in');
		await until(() => sockets.length === 1, { what: 'a client is admitted' });
		const pause = vi.spyOn(bunPrototype(sockets[0] as AppSocket), 'pause');
		onTestFinished(() => pause.mockRestore());
		const client = await connectSpeaker(ws);
		const texts = Array.from({ length: 20 }, (_, i) => String(i).padEnd(16 * KIB));
		for (const text of texts) sendTyped(client, 'job', text);
		await until(() => pause.mock.calls.length > 0, { what: 'reading is paused' });

		gate.resolve(true);
		await until(() => handled.length === texts.length, { what: 'all are handled' });
		expect(handled).toEqual(texts);
		expect(sockets[1]?.isPaused).toBe(false);
	});
});

/** The prototype of all sockets of the server, below the one that the application inserts. */
function bunPrototype(socket: AppSocket): AppSocket {
	return Object.getPrototypeOf(Object.getPrototypeOf(socket)) as AppSocket;
}

describe('while a handler awaits a reply of its client', () => {
	async function asking(limits: Limits = {}) {
		const handled: string[] = [];
		const router = new SocketRouter().on(Job, async (ctx) => {
			handled.push(ctx.data);
			return ctx.data === 'ask' ? ctx.request(Ask, null) : '';
		});
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({ limits: { ...LIMITS, ...limits } })
			.socketRouter(router);
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'job', 'ask', 'a');
		const { correlationId } = parse(await client.next());
		return { app, client, handled, correlationId: String(correlationId) };
	}

	it('messages beyond the limit on bytes are refused, and the others handled after the reply', async () => {
		const { app, client, handled, correlationId } = await asking();
		const texts = Array.from({ length: 10 }, (_, i) => String(i).padEnd(16 * KIB));
		for (const [i, text] of texts.entries()) sendTyped(client, 'job', text, String(i));
		await allReceived(client);
		const refused = client.texts.map(parse).filter(({ error }) => error !== undefined);

		expect(refused).toHaveLength(6);
		for (const [i, refusal] of refused.entries()) {
			expect(refusal).toMatchObject({
				type: 'job',
				correlationId: String(4 + i),
				error: { code: 'too_many_requests' },
			});
		}
		expect(app.refusals.requests).toBe(6);
		sendTyped(client, '@reply', 'yes', correlationId);
		await until(() => handled.length === 5, { what: 'the others are handled' });
		expect(handled).toEqual(['ask', ...texts.slice(0, 4)]);
	});

	it.each([
		['as encoders write it', '"@reply"'],
		['with an escaped @', String.raw`"\u0040reply"`],
		['with another escaped letter', String.raw`"@\u0072eply"`],
	])('its reply is recognised on arrival, ahead of messages that wait: the type %s', async (_, type) => {
		const { client, handled, correlationId } = await asking();
		for (let i = 0; i < 3; i++) sendTyped(client, 'job', String(i), String(i));
		client.send(`{"type":${type},"correlationId":"${correlationId}","data":"yes"}`);
		await client.next((text) => parse(text)['correlationId'] === 'a');
		await until(() => handled.length === 4, { what: 'the others are handled' });

		expect(handled).toEqual(['ask', '0', '1', '2']);
	});

	it('invalid messages are refused in their turn', async () => {
		const { client, correlationId } = await asking();
		sendTyped(client, 'job', 'one', 'b');
		client.send('{"type":"job","correlationId":"c","data":{"__proto__":1}}');
		sendTyped(client, 'job', 'two', 'd');
		sendTyped(client, '@reply', 'yes', correlationId);
		await client.received(5);

		expect(client.texts.slice(1).map((text) => parse(text)['correlationId'])).toEqual(['a', 'b', 'c', 'd']);
		expect(parse(client.texts[3] ?? '')).toMatchObject({ error: { code: 'invalid_message' } });
	});
});
