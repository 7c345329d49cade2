import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Chromium, PageOptions } from '../src/chromium.ts';
import { launchChromium } from '../src/chromium.ts';
import { isAlive } from '../src/fixtures/is-alive.ts';
import { bringOnline, freezePage, hidePage, resumePage, showPage, takeOffline } from '../src/page-conditions.ts';
import { collectErrors } from '../src/page-errors.ts';
import { spawnBun } from '../src/processes.ts';
import type { ServedPage } from '../src/serve-page.ts';
import { servePage } from '../src/serve-page.ts';
import { until } from '../src/until.ts';
import type { EchoServer } from './echo-server.ts';
import { startEchoServer } from './echo-server.ts';

let chromium: Chromium;
let served: ServedPage;
let echo: EchoServer;
const opened: Page[] = [];

beforeAll(async () => {
	served = await servePage(new URL('fixtures/page.ts', import.meta.url));
	chromium = await launchChromium();
});

beforeEach(() => {
	echo = startEchoServer();
});

afterEach(async () => {
	vi.unstubAllEnvs();
	await Promise.all(opened.splice(0).map((page) => page.close()));
	await echo.stop();
});

afterAll(async () => {
	await chromium.close();
	await served.stop();
});

async function open(options?: PageOptions): Promise<Page> {
	const page = await chromium.openPage(options);
	opened.push(page);
	await page.goto(served.url);
	return page;
}

function connect(page: Page): Promise<string> {
	return page.evaluate((url) => globalThis.page.connect(url), echo.url);
}

function send(page: Page, message: string): Promise<void> {
	return page.evaluate((text) => globalThis.page.socket?.send(text), message);
}

function received(page: Page): Promise<string[]> {
	return page.evaluate(() => globalThis.page.received);
}

function events(page: Page): Promise<string[]> {
	return page.evaluate(() => globalThis.page.events);
}

function ticks(page: Page): Promise<number> {
	return page.evaluate(() => globalThis.page.ticks);
}

function visibility(page: Page): Promise<string> {
	return page.evaluate(() => document.visibilityState);
}

async function untilReceived(page: Page, ...expected: string[]): Promise<void> {
	const all = async (): Promise<boolean> => {
		const there = await received(page);
		return expected.every((message) => there.includes(message));
	};
	await until(all, { what: `the page received ${expected.join(', ')}` });
}

/** Expects a directory to be empty. Waits first, because processes that are still ending may recreate it. */
async function expectNothingLeft(dir: string): Promise<void> {
	await Bun.sleep(2500);
	expect(readdirSync(dir)).toEqual([]);
	rmSync(dir, { recursive: true });
}

test('several pages are visible and share storage; an incognito page has its own', async () => {
	const [one, two] = await Promise.all([open(), open()]);
	const incognito = await open({ incognito: true });
	await one.evaluate(() => localStorage.setItem('name', 'one'));

	expect(await Promise.all([one, two, incognito].map(visibility))).toEqual(['visible', 'visible', 'visible']);
	expect(await two.evaluate(() => localStorage.getItem('name'))).toBe('one');
	expect(await incognito.evaluate(() => localStorage.getItem('name'))).toBe(null);
});

test('collects the errors of a page', async () => {
	const page = await open();
	const errors = collectErrors(page);
	await page.evaluate(() => globalThis.page.fail());

	await until(() => errors.uncaught.length === 2 && errors.logged.length === 1, { what: 'the errors are collected' });
	expect(errors.uncaught.join('\n')).toMatch(/thrown as requested/);
	expect(errors.uncaught.join('\n')).toMatch(/rejected as requested/);
	expect(errors.logged).toEqual(['logged as requested']);
});

test('collects no errors of a page without any', async () => {
	const page = await chromium.openPage();
	opened.push(page);
	const errors = collectErrors(page);
	await page.goto(`${served.url}?some=query`, { waitUntil: 'load' });

	expect(await page.evaluate(() => location.search)).toBe('?some=query');
	expect(errors).toEqual({ uncaught: [], logged: [] });
});

test('servePage rejects if bundling fails', async () => {
	await expect(servePage(new URL('fixtures/no-such-page.ts', import.meta.url))).rejects.toThrow();
});

test('offline and online change the flag, events and new connections of this page only', async () => {
	const [page, other] = await Promise.all([open(), open()]);
	await takeOffline(page);

	expect(await page.evaluate(() => navigator.onLine)).toBe(false);
	expect(await connect(page)).toBe('closed 1006');
	expect(await other.evaluate(() => navigator.onLine)).toBe(true);
	expect(await connect(other)).toBe('open');

	await bringOnline(page);
	expect(await page.evaluate(() => navigator.onLine)).toBe(true);
	expect(await connect(page)).toBe('open');
	expect(await events(page)).toEqual(['offline false', 'online true']);
});

test('an open WebSocket stalls offline and continues without loss', async () => {
	const page = await open();
	await connect(page);
	await send(page, 'before');
	await untilReceived(page, 'echo before');

	await takeOffline(page);
	await send(page, 'from the page');
	echo.send('from the server');
	await Bun.sleep(500);
	expect(echo.received).toEqual(['before']);
	expect(await received(page)).toEqual(['echo before']);

	await bringOnline(page);
	await untilReceived(page, 'from the server', 'echo from the page');
});

test('hides and shows a page, and no other', async () => {
	const [page, other] = await Promise.all([open(), open()]);
	await hidePage(page);
	expect(await visibility(page)).toBe('hidden');
	await hidePage(page);

	await showPage(page);
	expect(await visibility(page)).toBe('visible');
	expect(await events(page)).toEqual(['visibilitychange hidden', 'visibilitychange visible']);
	expect(await events(other)).toEqual([]);
});

test('a hidden page has throttled timers and a working WebSocket', async () => {
	const page = await open();
	await connect(page);
	await hidePage(page);
	const before = await ticks(page);
	await Bun.sleep(2000);
	expect((await ticks(page)) - before).toBeLessThan(10);

	echo.send('to the hidden page');
	await untilReceived(page, 'to the hidden page');
});

test('a frozen page is suspended until it is resumed, and hidden until it is shown', async () => {
	const page = await open();
	await connect(page);
	await freezePage(page);
	const before = await ticks(page);
	echo.send('to the frozen page');
	await Bun.sleep(1500);
	expect(await ticks(page)).toBe(before);
	expect(await received(page)).toEqual([]);
	expect(echo.closed).toEqual([]);

	await resumePage(page);
	await until(async () => (await ticks(page)) > before, { what: 'its timers fire again' });
	expect(await visibility(page)).toBe('hidden');
	await showPage(page);
	expect(await events(page)).toEqual([
		'visibilitychange hidden',
		'freeze hidden',
		'resume hidden',
		'visibilitychange visible',
	]);
});

test('a resumed page has lost its WebSocket and the messages sent to it meanwhile', async () => {
	const page = await open();
	await connect(page);
	await freezePage(page);
	await Bun.sleep(300);
	echo.send('to the frozen page');
	await Bun.sleep(200);

	await resumePage(page);
	await untilReceived(page, 'closed 1006');
	expect(await received(page)).toEqual(['closed 1006']);
	await until(() => echo.closed.length === 1, { what: 'the server sees the close' });
	expect(echo.closed).toEqual([1001]);
});

test('close ends the process and removes the profile; it is idempotent', async () => {
	const tmp = mkdtempSync(join(tmpdir(), 'orijs-test-'));
	vi.stubEnv('TMPDIR', tmp);
	const another = await launchChromium();
	expect(readdirSync(tmp)).toHaveLength(1);
	await Promise.all([another.close(), another.close()]);
	await another.close();

	expect(isAlive(another.pid)).toBe(false);
	await expectNothingLeft(tmp);
});

test('close removes the profile after Chromium has been killed', async () => {
	const tmp = mkdtempSync(join(tmpdir(), 'orijs-test-'));
	vi.stubEnv('TMPDIR', tmp);
	const another = await launchChromium();
	process.kill(another.pid, 'SIGKILL');
	await another.close();
	await expectNothingLeft(tmp);
});

test('an invalid executable rejects with the reason', async () => {
	vi.stubEnv('CHROMIUM_PATH', '/bin/false');
	await expect(launchChromium()).rejects.toThrow(/Chromium exited with 1 instead of starting/);
	vi.stubEnv('CHROMIUM_PATH', '/no/such/file');
	await expect(launchChromium()).rejects.toThrow(/ensure-chromium/);
});

test('neither Chromium nor its profile outlives a parent that is killed', async () => {
	const tmp = mkdtempSync(join(tmpdir(), 'orijs-test-'));
	const parent = spawnBun(new URL('fixtures/parent-without-cleanup.ts', import.meta.url), { env: { TMPDIR: tmp } });
	const pid = await parent.request<number>('pid');
	expect(isAlive(pid)).toBe(true);
	parent.kill('SIGKILL');

	await until(() => !isAlive(pid), { what: 'Chromium has ended' });
	await expectNothingLeft(tmp);
});
