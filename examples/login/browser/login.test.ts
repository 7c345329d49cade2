import {
	type Chromium,
	collectErrors,
	freePort,
	launchChromium,
	type Page,
	type PageErrors,
	type ScriptProcess,
	spawnBun,
	until,
} from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { ada, grace } from '../src/test-support/boards.ts';
import type { NewUser } from '../src/users.ts';

let chromium: Chromium;
let port: number;
let server: ScriptProcess;
const opened: { page: Page; errors: PageErrors }[] = [];

beforeAll(async () => {
	chromium = await launchChromium();
});

beforeEach(async () => {
	port = await freePort();
	server = await start();
});

afterEach(async () => {
	for (const { page, errors } of opened.splice(0)) {
		expect(errors.uncaught).toEqual([]);
		await page.close();
	}
	await server.stop();
});

afterAll(() => chromium.close());

async function start(env: Record<string, string> = {}): Promise<ScriptProcess> {
	const child = spawnBun(new URL('../src/main.ts', import.meta.url), {
		env: { NODE_ENV: 'production', PORT: String(port), ...env },
	});
	await until(() => child.output().includes('The notice board is at'), { what: 'it listens', timeoutMs: 15_000 });
	return child;
}

/** Opens the page as a browser of its own, or as a tab of the browser that all such tabs share. */
async function open(where: 'own browser' | 'tab' = 'own browser'): Promise<Page> {
	const page = await chromium.openPage({ incognito: where === 'own browser' });
	opened.push({ page, errors: collectErrors(page) });
	await page.goto(`http://localhost:${port}/`);
	return page;
}

async function logIn({ name, password }: NewUser, page?: Page): Promise<Page> {
	page ??= await open();
	await page.fill('#name', name);
	await page.fill('#password', password);
	await page.click('#log-in');
	await page.waitForSelector('#board:not([hidden])');
	return page;
}

async function post(page: Page, text: string): Promise<void> {
	await page.fill('#text', text);
	await page.press('#text', 'Enter');
}

/** Resolves once the page shows a note with this text. */
async function shown(page: Page, text: string): Promise<void> {
	await page.locator('#notes .text', { hasText: text }).waitFor();
}

test('a logged-in user sees new notes at once; a logged-out one sees none until they log in again', async () => {
	const [first, second] = [await logIn(ada), await logIn(grace)];
	await post(first, 'Version 2 is out');
	await shown(second, 'Version 2 is out');

	await second.click('#log-out');
	await second.waitForSelector('#login:not([hidden])');
	await second.waitForSelector('#board[hidden]', { state: 'attached' });
	await post(first, 'Version 3 is out');
	await shown(first, 'Version 3 is out');

	await second.fill('#name', grace.name);
	await second.fill('#password', grace.password);
	await second.click('#log-in');
	await second.waitForSelector('#board:not([hidden])');
	await shown(second, 'Version 3 is out');
	await post(first, 'Version 4 is out');
	await shown(second, 'Version 4 is out');
});

test('a page renews its session by itself, on the live connection; logging out in one tab logs out the others', async () => {
	await server.stop();
	server = await start({ SESSION_SECONDS: '3' });
	const page = await logIn(ada, await open('tab'));
	let renewals = 0;
	page.on('response', (response) => {
		if (response.url().endsWith('/renew') && response.ok()) renewals++;
	});
	let connections = 0;
	page.on('websocket', () => connections++);
	const tab = await open('tab');
	await tab.waitForSelector('#board:not([hidden])');
	await until(() => renewals >= 3, { what: 'three renewals', timeoutMs: 12_000 });
	await post(tab, 'Still here');
	await shown(page, 'Still here');
	expect(connections).toBe(0);

	await tab.click('#log-out');
	for (const one of [page, tab]) await one.locator('#login-problem', { hasText: 'You are logged out.' }).waitFor();
});

test('a wrong password shows an error', async () => {
	const page = await open();
	await page.fill('#name', 'ada');
	await page.fill('#password', 'wrong');
	await page.click('#log-in');
	await page.locator('#login-problem', { hasText: 'Wrong name or password.' }).waitFor();
	expect(await page.isHidden('#board')).toBe(true);
});

test('the page reconnects to a restarted server and asks to log in, because sessions were in memory', async () => {
	const page = await logIn(ada);
	await server.stop();
	await page.locator('#state', { hasText: 'Connecting…' }).waitFor();
	server = await start();
	await page.waitForSelector('#login:not([hidden])');
});
