import { Application, SocketRouter } from '@orijs/core';
import {
	type Chromium,
	collectErrors,
	launchChromium,
	type Page,
	type PageErrors,
	servePage,
	type ServedPage,
	until,
} from '@orijs/testkit';
import { type Logger, SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { Plain } from './page.ts';

declare global {
	// A global variable of the page.
	var plain: Plain;
}

const Say = SocketMessage.define({
	name: 'say',
	data: z.object({ room: z.string(), text: z.string().max(20) }),
	reply: z.object({ id: z.string() }),
});
const Said = SocketMessage.define({ name: 'said', data: z.object({ text: z.string() }) });
const Double = SocketMessage.define({ name: 'double', data: z.any(), reply: z.number() });

const quiet: Logger = { debug() {}, info() {}, warn() {}, error: console.error };

let chromium: Chromium;
let served: ServedPage;
let app: Application;
let page: Page;
let endpoint: string;
let errors: PageErrors;
let interrupt: (topics: readonly string[], since: number) => void;

beforeAll(async () => {
	served = await servePage(new URL('page.ts', import.meta.url));
	chromium = await launchChromium();
});

beforeEach(async () => {
	const bus = new MemoryBackend().createBus();
	const start = bus.start.bind(bus);
	bus.start = (handlers) => {
		interrupt = (topics, since) => handlers.interrupted(topics, since, 'simulated');
		return start(handlers);
	};
	const router = new SocketRouter<{ user: string }>()
		.authenticate((ctx) => {
			ctx.state.user = String(ctx.auth);
			return ctx.auth === 'a token';
		})
		.on(Say, async (ctx) => {
			await ctx.emit(Said, ctx.data.room, { text: ctx.data.text });
			return { id: ctx.state.user };
		})
		.on(Double, (ctx) => ctx.request(Double, ctx.data));
	app = new Application({ signals: false, logger: quiet })
		.websocket(new WsProvider({ bus, logger: quiet }), {
			allowedOrigins: [new URL(served.url).origin],
			authorize: { subscribe: (_ws, topic) => topic.startsWith('room:') },
		})
		.socketRouter(router);
	const { port } = await app.listen(0);
	page = await chromium.openPage();
	errors = collectErrors(page);
	endpoint = `ws://127.0.0.1:${port}/ws`;
	await connect();
});

afterEach(async () => {
	await page.close();
	await app.stop();
});

afterAll(async () => {
	await chromium.close();
	await served.stop();
});

/** Opens the page and connects its client. */
async function connect(): Promise<void> {
	await page.goto(served.url);
	await page.evaluate((endpoint) => plain.connect(endpoint), endpoint);
}

/** Authenticates the client, as every test but one does first. */
async function authenticate(): Promise<void> {
	const answer = await page.evaluate(() => plain.request('@auth', 'a token'));
	expect(answer.data).toEqual({
		socketId: expect.stringMatching(/^[\w-]{36}$/) as string,
		timestamp: expect.any(Number) as number,
		messageBytes: 65_536,
		messagesPerSecond: 100,
		bytesPerSecond: 1_048_576,
	});
}

/** Resolves once the page has received this many frames that are not answers to requests. */
async function received(count: number): Promise<unknown[]> {
	await until(() => page.evaluate((wanted) => plain.received.length >= wanted, count), {
		what: `${count} frames have arrived`,
	});
	return await page.evaluate(() => plain.received);
}

const stamp = { timestamp: expect.any(Number) as number };

test('authenticates, subscribes, sends a request, and receives its answer and messages', async () => {
	await authenticate();
	expect((await page.evaluate(() => plain.request('@subscribe', { topic: 'room:a' }))).data).toEqual(stamp);
	const answer = await page.evaluate(() => plain.request('say', { room: 'room:a', text: 'hi' }));
	expect(answer).toMatchObject({ type: 'say', data: { id: 'a token' } });
	expect(await received(1)).toEqual([{ name: 'said', data: { text: 'hi' }, topic: 'room:a', ...stamp }]);

	await app.socket.publish('room:a', 'not JSON');
	expect((await received(2))[1]).toBe('not JSON');
	expect(errors.uncaught).toEqual([]);
});

test('subscribes and unsubscribes many topics at once, each with its own outcome', async () => {
	await authenticate();
	const topics = ['room:a', 'secret', 'room:b'];
	expect((await page.evaluate((topics) => plain.request('@subscribe', { topics }), topics)).data).toEqual({
		...stamp,
		refused: [{ topic: 'secret', code: 'forbidden', message: expect.any(String) as string }],
	});
	await page.evaluate(() => plain.request('@unsubscribe', { topic: 'room:a' }));
	await app.socket.emit(Said, 'room:a', { text: 'unsubscribed' });
	await app.socket.emit(Said, 'room:b', { text: 'subscribed' });
	expect(await received(1)).toMatchObject([{ topic: 'room:b', data: { text: 'subscribed' } }]);
});

test('receives the codes of refusals', async () => {
	await authenticate();
	const codeOf = async (type: string, data: unknown): Promise<string | undefined> => {
		const { error } = await page.evaluate(([type, data]) => plain.request(type, data), [type, data] as const);
		return error?.code;
	};
	expect(await codeOf('say', { room: 'room:a', text: 'x'.repeat(21) })).toBe('invalid_data');
	expect(await codeOf('unknown', null)).toBe('unknown_type');
	expect(await codeOf('@subscribe', { topic: 'secret' })).toBe('forbidden');
	await page.evaluate(() => plain.send('unknown', null));
	expect(await received(1)).toMatchObject([{ type: 'unknown', error: { code: 'unknown_type' } }]);
});

test('answers and refuses requests of the server', async () => {
	await authenticate();
	expect((await page.evaluate(() => plain.request('double', 21))).data).toBe(42);
	expect((await page.evaluate(() => plain.request('double', 'x'))).error).toMatchObject({ code: 'internal' });
});

test('receives the time of the server in answers to pings', async () => {
	await authenticate();
	const before = Date.now();
	const { data } = await page.evaluate(() => plain.request('@ping', null));
	expect((data as { timestamp: number }).timestamp).toBeGreaterThanOrEqual(before);
	expect((data as { timestamp: number }).timestamp).toBeLessThanOrEqual(Date.now());
});

/** How long before the backend received it a message may have been published, in milliseconds. */
const SLACK_MS = 250;

test('receives gap notices', async () => {
	await authenticate();
	await page.evaluate(() => plain.request('@subscribe', { topic: 'room:a' }));
	const since = Date.now();
	interrupt(['room:a'], since);
	expect(await received(1)).toEqual([
		{ type: '@gap', data: { topic: 'room:a', since: since - SLACK_MS, until: expect.any(Number) as number } },
	]);
});

test('is closed with a code for a wrong token, and with a retry hint by a stopping server', async () => {
	await page.evaluate(() => plain.send('@auth', 'a wrong token'));
	await until(() => page.evaluate(() => plain.closed !== undefined), { what: 'it is closed' });
	expect(await page.evaluate(() => plain.closed)).toEqual({ code: 4401, reason: 'unauthorized' });

	await connect();
	await authenticate();
	await app.stop();
	await until(() => page.evaluate(() => plain.closed !== undefined), { what: 'it is closed' });
	expect(await page.evaluate(() => plain.closed)).toEqual({
		code: 1012,
		reason: expect.stringMatching(/; retry-after-ms=\d+$/) as string,
	});
});
