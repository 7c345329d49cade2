import { readFileSync } from 'node:fs';
import { Application, type AppSocket } from '@orijs/core';
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
import { InProcWsProvider, type Logger } from '@orijs/websocket';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { SocketClient } from '../../src/index.ts';
import { Said } from './messages.ts';
import type { ReactPage } from './page.tsx';

declare global {
	// A global variable of the page.
	var reactPage: ReactPage;
}

const quiet: Logger = { debug() {}, info() {}, warn() {}, error: console.error };
const [ROOM, OTHER] = ['room:1', 'room:2'];
const IDS = [1, 2, 3, 4, 5];
const OTHER_IDS = [101, 102, 103];

let chromium: Chromium;
let served: ServedPage;
let app: Application;
let page: Page;
let errors: PageErrors;
let sockets: Set<AppSocket>;
let endpoint: string;

beforeAll(async () => {
	served = await servePage(new URL('page.tsx', import.meta.url));
	chromium = await launchChromium();
});

beforeEach(async () => {
	sockets = new Set();
	const provider = new InProcWsProvider({
		logger: quiet,
		history: { 'room:*': { size: 100, ttlMs: 60_000 } },
		presence: { 'room:*': {} },
	});
	app = new Application({ signals: false, logger: quiet })
		.websocket(provider, {
			allowedOrigins: [new URL(served.url).origin],
			authorize: { subscribe: (_ws, topic) => topic !== 'room:secret' },
		})
		.onWebSocket({ open: (ws) => void sockets.add(ws), close: (ws) => void sockets.delete(ws) });
	const { port } = await app.listen(0);
	for (const id of IDS) await say(ROOM, id);
	for (const id of OTHER_IDS) await say(OTHER, id);
	page = await chromium.openPage();
	errors = collectErrors(page);
	await page.goto(served.url);
	endpoint = `ws://127.0.0.1:${port}/ws`;
});

afterEach(async () => {
	// React reports misuse with `console.error`.
	expect([errors.uncaught, errors.logged]).toEqual([[], []]);
	await page.close();
	await app.stop();
});

afterAll(async () => {
	await chromium.close();
	await served.stop();
});

const say = (room: string, id: number): Promise<void> => app.socket.emit(Said, room, { id, text: `message ${id}` });
const goTo = (topic: string | undefined): Promise<void> => page.evaluate((to) => reactPage.goTo(to), topic);
const listed = (): Promise<string[]> => page.locator('li').allTextContents();
const topics = (): string[] => [...sockets].flatMap(({ data }) => [...data.topics]);

async function untilListed(ids: readonly number[]): Promise<void> {
	const texts = ids.map((id) => `message ${id}`);
	await until(async () => (await listed()).join() === texts.join(), { what: `the page lists ${texts.join()}` });
}

/** Expects that no message was ever shown in another room, or twice. */
async function expectCleanRooms(): Promise<void> {
	for (const { topic, ids } of await page.evaluate(() => reactPage.shown)) {
		expect(ids).toEqual([...new Set(ids)]);
		expect(ids.every((id) => (topic === OTHER) === id > 100)).toBe(true);
	}
}

describe('with a client of the page', () => {
	beforeEach(() => page.evaluate((to) => reactPage.connect(to), endpoint));

	test('StrictMode mounts a component twice, and each message of the history is shown once', async () => {
		await goTo(ROOM);
		await untilListed(IDS);
		await say(ROOM, 6);
		await untilListed([...IDS, 6]);
		expect(await page.evaluate(() => reactPage.mounts)).toBe(2);
		await expectCleanRooms();
		expect(topics()).toEqual([ROOM]);
	});

	test.each([
		['in one turn', false],
		['one after the other', true],
	])('rooms that change quickly, %s: nothing of a room that was left is shown', async (_, inTurns) => {
		await page.evaluate(
			async ([rooms, each]) => {
				for (const room of rooms) {
					reactPage.goTo(room);
					if (each) await new Promise((resolve) => setTimeout(resolve));
				}
			},
			[[OTHER, ROOM, OTHER, ROOM, OTHER, ROOM], inTurns] as const,
		);
		await untilListed(IDS);
		await say(OTHER, 104);
		await say(ROOM, 6);
		await untilListed([...IDS, 6]);
		await expectCleanRooms();
		await until(() => topics().join() === ROOM, { what: 'only the last room is subscribed' });
	});

	test('a room that is left when its messages are listed: none of them is shown in the next one', async () => {
		for (const [room, ids] of [
			[OTHER, OTHER_IDS],
			[ROOM, IDS],
			[OTHER, OTHER_IDS],
		] as const) {
			await goTo(room);
			await untilListed(ids);
		}
		await expectCleanRooms();
	});

	test('who is here is shown, and changes, in the room that is shown', async () => {
		const untilHere = (text: string): Promise<void> =>
			until(async () => (await page.locator('output').textContent()) === text, { what: `the page shows ${text}` });
		await goTo(ROOM);
		await untilHere('1 of 1');
		const other = new SocketClient(endpoint);
		onTestFinished(() => other.close());
		await other.connect();
		await other.subscribe(ROOM);
		await untilHere('2 of 2');
		await goTo(OTHER);
		await untilHere('1 of 1');
		await other.close();
		await goTo(ROOM);
		await untilHere('1 of 1');
	});

	test('a component that unmounts at once leaves no subscription', async () => {
		await page.evaluate((room) => {
			reactPage.goTo(room);
			reactPage.goTo(undefined);
		}, ROOM);
		await goTo(OTHER);
		await untilListed(OTHER_IDS);
		await goTo(undefined);
		await until(() => topics().length === 0, { what: 'nothing is subscribed' });
		expect(await page.locator('p').textContent()).toBe('no room');
	});

	test('a room that the server refuses shows the reason, and the next one works', async () => {
		await goTo('room:secret');
		await until(async () => (await page.locator('#error').count()) > 0, { what: 'the reason is shown' });
		expect(await page.locator('#error').textContent()).toContain('forbidden');
		await goTo(ROOM);
		await untilListed(IDS);
		expect(await page.locator('#error').count()).toBe(0);
	});
});

test('a client that a component creates, connects and closes, in StrictMode', async () => {
	await page.evaluate((to) => reactPage.connectInside(to), endpoint);
	await until(async () => (await page.locator('p').count()) > 0, { what: 'there is a client' });
	await goTo(ROOM);
	await untilListed(IDS);
	await say(ROOM, 6);
	await untilListed([...IDS, 6]);
	await expectCleanRooms();
	expect(topics()).toEqual([ROOM]);
	expect(sockets.size).toBe(1);
});

test.each([
	['use-topic.ts', '../../README.md'],
	['use-client.ts', '../../README.md'],
	['use-presence.ts', '../../../../docs/who-is-here.md'],
])('%s is printed in %s', (hook, document) => {
	const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
	expect(read(document)).toContain(`\`\`\`typescript\n${read(hook)}\`\`\``);
});
