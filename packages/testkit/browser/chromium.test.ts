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

/** For good, which what is still ending may take a moment to allow. */
async function expectNothingLeft(dir: string): Promise<void> {
	await Bun.sleep(2500);
	expect(readdirSync(dir)).toEqual([]);
	rmSync(dir, { recursive: true });
}

test('pages are visible side by side, share their storage, and a private one has its own', async () => {
	const [one, two] = await Promise.all([open(), open()]);
	const apart = await open({ incognito: true });
	await one.evaluate(() => localStorage.setItem('name', 'one'));

	expect(await Promise.all([one, two, apart].map(visibility))).toEqual(['visible', 'visible', 'visible']);
	expect(await two.evaluate(() => localStorage.getItem('name'))).toBe('one');
	expect(await apart.evaluate(() => localStorage.getItem('name'))).toBe(null);
});

test('errors of a page are collected', async () => {
	const page = await open();
	const errors = collectErrors(page);
	await page.evaluate(() => globalThis.page.fail());

	await until(() => errors.uncaught.length === 2 && errors.logged.length === 1, { what: 'the errors are there' });
	expect(errors.uncaught.join('\n')).toMatch(/thrown as asked/);
	expect(errors.uncaught.join('\n')).toMatch(/rejected as asked/);
	expect(errors.logged).toEqual(['logged as asked']);
});

test('a page whose script has no errors logs none', async () => {
	const page = await chromium.openPage();
	opened.push(page);
	const errors = collectErrors(page);
	await page.goto(`${served.url}?some=query`, { waitUntil: 'load' });

	expect(await page.evaluate(() => location.search)).toBe('?some=query');
	expect(errors).toEqual({ uncaught: [], logged: [] });
});

test('what cannot be bundled is not served', async () => {
	await expect(servePage(new URL('fixtures/no-such-page.ts', import.meta.url))).rejects.toThrow();
});

test('offline and back online: flag, events and new connections, of this page alone', async () => {
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

test('an open WebSocket is not cut offline: it stalls, and goes on without a loss', async () => {
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

test('hidden and shown again, and the others are not', async () => {
	const [page, other] = await Promise.all([open(), open()]);
	await hidePage(page);
	expect(await visibility(page)).toBe('hidden');
	await hidePage(page);

	await showPage(page);
	expect(await visibility(page)).toBe('visible');
	expect(await events(page)).toEqual(['visibilitychange hidden', 'visibilitychange visible']);
	expect(await events(other)).toEqual([]);
});

test('the timers of a hidden page are throttled, its WebSocket is not', async () => {
	const page = await open();
	await connect(page);
	await hidePage(page);
	const before = await ticks(page);
	await Bun.sleep(2000);
	expect((await ticks(page)) - before).toBeLessThan(10);

	echo.send('to the hidden page');
	await untilReceived(page, 'to the hidden page');
});

test('a frozen page does nothing until it is resumed, and is hidden until it is shown', async () => {
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
	await until(async () => (await ticks(page)) > before, { what: 'its timers go on' });
	expect(await visibility(page)).toBe('hidden');
	await showPage(page);
	expect(await events(page)).toEqual([
		'visibilitychange hidden',
		'freeze hidden',
		'resume hidden',
		'visibilitychange visible',
	]);
});

test('a resumed page has lost its WebSocket, with what was sent to it meanwhile', async () => {
	const page = await open();
	await connect(page);
	await freezePage(page);
	await Bun.sleep(300);
	echo.send('to the frozen page');
	await Bun.sleep(200);

	await resumePage(page);
	await untilReceived(page, 'closed 1006');
	expect(await received(page)).toEqual(['closed 1006']);
	await until(() => echo.closed.length === 1, { what: 'the server knows, too' });
	expect(echo.closed).toEqual([1001]);
});

test('close ends the process and removes the profile, also twice', async () => {
	const tmp = mkdtempSync(join(tmpdir(), 'orijs-test-'));
	vi.stubEnv('TMPDIR', tmp);
	const another = await launchChromium();
	expect(readdirSync(tmp)).toHaveLength(1);
	await Promise.all([another.close(), another.close()]);
	await another.close();

	expect(isAlive(another.pid)).toBe(false);
	await expectNothingLeft(tmp);
});

test('close after it ended by itself', async () => {
	const tmp = mkdtempSync(join(tmpdir(), 'orijs-test-'));
	vi.stubEnv('TMPDIR', tmp);
	const another = await launchChromium();
	process.kill(another.pid, 'SIGKILL');
	await another.close();
	await expectNothingLeft(tmp);
});

test('an executable that is none shows why', async () => {
	vi.stubEnv('CHROMIUM_PATH', '/bin/false');
	await expect(launchChromium()).rejects.toThrow(/Chromium exited with 1 instead of starting/);
	vi.stubEnv('CHROMIUM_PATH', '/no/such/file');
	await expect(launchChromium()).rejects.toThrow(/ensure-chromium/);
});

test('neither Chromium nor its profile outlives a parent that was killed', async () => {
	const tmp = mkdtempSync(join(tmpdir(), 'orijs-test-'));
	const parent = spawnBun(new URL('fixtures/parent-without-cleanup.ts', import.meta.url), { env: { TMPDIR: tmp } });
	const pid = await parent.request<number>('pid');
	expect(isAlive(pid)).toBe(true);
	parent.kill('SIGKILL');

	await until(() => !isAlive(pid), { what: 'Chromium is gone' });
	await expectNothingLeft(tmp);
});
