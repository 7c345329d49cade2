import { Application } from '@orijs/core';
import {
	type Chromium,
	collectErrors,
	hidePage,
	launchChromium,
	type Page,
	type PageErrors,
	servePage,
	type ServedPage,
	until,
} from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import type { Reader } from './page.ts';

declare global {
	// A global variable of the page.
	var reader: Reader;
}

const Tick = SocketMessage.define({ name: 'tick', data: z.number() });

let chromium: Chromium;
let served: ServedPage;
let app: Application;
let endpoint: string;
const opened: { page: Page; errors: PageErrors }[] = [];

beforeAll(async () => {
	served = await servePage(new URL('page.ts', import.meta.url));
	chromium = await launchChromium();
});

beforeEach(async () => {
	const logger = { debug() {}, info() {}, warn() {}, error: console.error };
	app = new Application({ logger, signals: false }).websocket(
		new InProcWsProvider({ logger, history: { '*': { size: 10_000, ttlMs: 60_000 } } }),
		{ allowedOrigins: [new URL(served.url).origin], authorize: { subscribe: () => true } },
	);
	const { port } = await app.listen({ port: 0, hostname: '127.0.0.1' });
	endpoint = `ws://127.0.0.1:${port}/ws`;
});

afterEach(async () => {
	for (const { page, errors } of opened.splice(0)) {
		expect(errors.uncaught).toEqual([]);
		await page.close();
	}
	await app.stop();
});

afterAll(async () => {
	await chromium.close();
	await served.stop();
});

/** Opens a tab. Tabs share their `localStorage` with the tab that they are opened `from`. */
async function openTab(name: string, topics: readonly string[], from?: Page, script?: string): Promise<Page> {
	const page = from === undefined ? await chromium.openPage() : await from.context().newPage();
	opened.push({ page, errors: collectErrors(page) });
	if (script !== undefined) await page.addInitScript(script);
	const query = new URLSearchParams({ endpoint, name });
	for (const topic of topics) query.append('topic', topic);
	await page.goto(`${served.url}?${query.toString()}`);
	await untilReady(page);
	return page;
}

const untilReady = (page: Page): Promise<unknown> => page.waitForFunction(() => globalThis.reader?.isReady);

/** The numbers that the tab of this name has received, across reloads. */
async function received(page: Page, name: string): Promise<number[]> {
	const text = await page.evaluate((key) => localStorage.getItem(key), `received ${name}`);
	return (text ?? '').split(' ').filter(Boolean).map(Number);
}

async function untilReceived(page: Page, name: string, last: number): Promise<void> {
	await until(async () => (await received(page, name)).at(-1) === last, { what: `${last} arrives at ${name}` });
}

test('two tabs are reloaded under load: each receives everything, once and in order', async () => {
	const left = await openTab('left', ['shared']);
	const right = await openTab('right', ['own'], left);
	let number = 0;
	const publishing = setInterval(() => {
		number++;
		for (const topic of ['shared', 'own']) void app.socket.emit(Tick, topic, number);
	}, 5);
	try {
		for (const page of [left, right, right, left, left]) {
			const before = number;
			await page.reload();
			await untilReady(page);
			await until(() => number > before + 20, { what: 'messages are published' });
		}
	} finally {
		clearInterval(publishing);
	}
	const all = Array.from({ length: number }, (_, i) => i + 1);
	for (const [page, name] of [
		[left, 'left'],
		[right, 'right'],
	] as const) {
		await untilReceived(page, name, number);
		expect(await received(page, name)).toEqual(all);
		expect(await page.evaluate(() => [globalThis.reader.gaps, globalThis.reader.errors])).toEqual([[], []]);
	}
});

test('the last tab to close does not take the position of another topic back', async () => {
	const first = await openTab('first', ['a', 'b']);
	const second = await openTab('second', ['a'], first);
	await app.socket.emit(Tick, 'a', 1);
	await app.socket.emit(Tick, 'b', 2);
	await untilReceived(first, 'first', 2);
	await untilReceived(second, 'second', 1);
	await first.goto('about:blank');
	await app.socket.emit(Tick, 'b', 3);
	await app.socket.emit(Tick, 'a', 4);
	await untilReceived(second, 'second', 4);
	await second.reload();
	await untilReady(second);

	const both = await openTab('first', ['a', 'b'], second);
	await app.socket.emit(Tick, 'b', 5);
	await untilReceived(both, 'first', 5);
	// The other tab has received 4 of topic `a`: the two share one position.
	expect(await received(both, 'first')).toEqual([1, 2, 3, 5]);
	expect(await received(second, 'second')).toEqual([1, 4]);
});

test('a position is written when a tab is hidden', async () => {
	// The timers of a hidden tab may be late, so this must not depend on the one that writes positions.
	const page = await openTab('tab', ['t'], undefined, WITHOUT_TIMER);
	await app.socket.emit(Tick, 't', 1);
	await untilReceived(page, 'tab', 1);
	const positions = (): Promise<string[]> =>
		page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('orijs ')));
	expect(await positions()).not.toContain(`orijs ${endpoint} t`);
	await hidePage(page);
	await until(async () => (await positions()).includes(`orijs ${endpoint} t`), { what: 'the position is written' });
});

const WITHOUT_TIMER =
	'const later = setTimeout; globalThis.setTimeout = (run, ms) => (ms === 1000 ? 0 : later(run, ms));';
