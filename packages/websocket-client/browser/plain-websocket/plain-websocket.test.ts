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
	// In the page.
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
		interrupt = (topics, since) => handlers.interrupted(topics, since, 'as a test has it');
		return start(handlers);
	};
	const router = new SocketRouter<{ user: string }>()
		.guard((ctx) => {
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

/** Opens the page, and connects. */
async function connect(): Promise<void> {
	await page.goto(served.url);
	await page.evaluate((endpoint) => plain.connect(endpoint), endpoint);
}

/** Says who it is, as every test but one does first. */
async function enter(): Promise<void> {
	const answer = await page.evaluate(() => plain.ask('@auth', 'a token'));
	expect(answer.data).toEqual({
		socketId: expect.stringMatching(/^[\w-]{36}$/) as string,
		timestamp: expect.any(Number) as number,
		messagesPerSecond: 100,
	});
}

/** Resolves once the page has heard so many frames that answer nothing. */
async function heard(count: number): Promise<unknown[]> {
	await until(() => page.evaluate((wanted) => plain.heard.length >= wanted, count), { what: `${count} frames came` });
	return await page.evaluate(() => plain.heard);
}

const stamp = { timestamp: expect.any(Number) as number };

test('says who it is, subscribes, asks, is answered, and receives', async () => {
	await enter();
	expect((await page.evaluate(() => plain.ask('@subscribe', { topic: 'room:a' }))).data).toEqual(stamp);
	const answer = await page.evaluate(() => plain.ask('say', { room: 'room:a', text: 'hi' }));
	expect(answer).toMatchObject({ type: 'say', data: { id: 'a token' } });
	expect(await heard(1)).toEqual([{ name: 'said', data: { text: 'hi' }, topic: 'room:a', ...stamp }]);

	await app.socket.publish('room:a', 'no JSON');
	expect((await heard(2))[1]).toBe('no JSON');
	expect(errors.uncaught).toEqual([]);
});

test('joins and leaves many topics at once, each with its own fate', async () => {
	await enter();
	const topics = ['room:a', 'secret', 'room:b'];
	expect((await page.evaluate((topics) => plain.ask('@subscribe', { topics }), topics)).data).toEqual({
		...stamp,
		refused: [{ topic: 'secret', code: 'forbidden', message: expect.any(String) as string }],
	});
	await page.evaluate(() => plain.ask('@unsubscribe', { topic: 'room:a' }));
	await app.socket.emit(Said, 'room:a', { text: 'left' });
	await app.socket.emit(Said, 'room:b', { text: 'joined' });
	expect(await heard(1)).toMatchObject([{ topic: 'room:b', data: { text: 'joined' } }]);
});

test('is told why something is refused, by codes', async () => {
	await enter();
	const codeOf = async (type: string, data: unknown): Promise<string | undefined> => {
		const { error } = await page.evaluate(([type, data]) => plain.ask(type, data), [type, data] as const);
		return error?.code;
	};
	expect(await codeOf('say', { room: 'room:a', text: 'x'.repeat(21) })).toBe('invalid_data');
	expect(await codeOf('unheard-of', null)).toBe('unknown_type');
	expect(await codeOf('@subscribe', { topic: 'secret' })).toBe('forbidden');
	await page.evaluate(() => plain.tell('unheard-of', null));
	expect(await heard(1)).toMatchObject([{ type: 'unheard-of', error: { code: 'unknown_type' } }]);
});

test('answers what the server asks, and may refuse', async () => {
	await enter();
	expect((await page.evaluate(() => plain.ask('double', 21))).data).toBe(42);
	expect((await page.evaluate(() => plain.ask('double', 'x'))).error).toMatchObject({ code: 'internal' });
});

test('finds out by pings whether the server is there, and what has arrived by when', async () => {
	await enter();
	const before = Date.now();
	const { data } = await page.evaluate(() => plain.ask('@ping', null));
	expect((data as { timestamp: number }).timestamp).toBeGreaterThanOrEqual(before);
	expect((data as { timestamp: number }).timestamp).toBeLessThanOrEqual(Date.now());
});

test('is told where messages may be missing', async () => {
	await enter();
	await page.evaluate(() => plain.ask('@subscribe', { topic: 'room:a' }));
	const since = Date.now();
	interrupt(['room:a'], since);
	expect(await heard(1)).toEqual([
		{ type: '@gap', data: { topic: 'room:a', since, until: expect.any(Number) as number } },
	]);
});

test('is told not to come back with the same token, and when to come back to a server that stops', async () => {
	await page.evaluate(() => plain.tell('@auth', 'somebody else’s token'));
	await until(() => page.evaluate(() => plain.closed !== undefined), { what: 'it is closed' });
	expect(await page.evaluate(() => plain.closed)).toEqual({ code: 4401, reason: 'unauthorized' });

	await connect();
	await enter();
	await app.stop();
	await until(() => page.evaluate(() => plain.closed !== undefined), { what: 'it is closed' });
	expect(await page.evaluate(() => plain.closed)).toEqual({
		code: 1012,
		reason: expect.stringMatching(/; retry-after-ms=\d+$/) as string,
	});
});
