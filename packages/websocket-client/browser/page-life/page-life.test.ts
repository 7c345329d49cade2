import {
	bringOnline,
	type Chromium,
	collectErrors,
	freePort,
	freezePage,
	hidePage,
	launchChromium,
	type Page,
	type PageErrors,
	type RedisServer,
	resumePage,
	type ScriptProcess,
	servePage,
	type ServedPage,
	showPage,
	spawnBun,
	startRedis,
	takeOffline,
	until,
} from '@orijs/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ClientState, GapNotice, SocketClientOptions } from '../../src/index.ts';
import type { Tab } from './page.ts';

declare global {
	// A global variable of the page.
	var tab: Tab;
}

/** With these options, the client quickly detects a loss and reconnects. */
const SHORT_DELAYS: SocketClientOptions = {
	heartbeat: { intervalMs: 300, timeoutMs: 500 },
	reconnect: { minDelayMs: 50, maxDelayMs: 200 },
};
/** With these options, the client does not reconnect by itself during a test. */
const LONG_DELAYS: SocketClientOptions = {
	heartbeat: { intervalMs: 300, timeoutMs: 500 },
	// Delays are random. With this bound, only one in a thousand is shorter than the minute that a test may take.
	reconnect: { minDelayMs: 60_000_000, maxDelayMs: 60_000_000 },
};

let chromium: Chromium;
let served: ServedPage;
const opened: { page: Page; errors: PageErrors }[] = [];
const nodes: Node[] = [];

beforeAll(async () => {
	served = await servePage(new URL('page.ts', import.meta.url));
	chromium = await launchChromium();
});

afterEach(async () => {
	for (const { page, errors } of opened.splice(0)) {
		expect(errors.uncaught).toEqual([]);
		await page.close();
	}
	await Promise.all(nodes.splice(0).map((node) => node.process.stop()));
});

afterAll(async () => {
	await chromium.close();
	await served.stop();
});

interface Node {
	readonly port: number;
	readonly process: ScriptProcess;
	/** Publishes a numbered message. Resolves with the time of publication, in milliseconds since the epoch. */
	tick(number: number): Promise<number>;
}

/** Starts a node. Resolves once it listens. */
async function startNode(port?: number, redis?: RedisServer): Promise<Node> {
	const at = port ?? (await freePort());
	const process = spawnBun(new URL('node.ts', import.meta.url), {
		args: [String(at), new URL(served.url).origin, ...(redis === undefined ? [] : [redis.url])],
	});
	const node = { port: at, process, tick: (number: number) => process.request<number>(number) };
	nodes.push(node);
	await node.tick(0);
	return node;
}

async function openTab({ port }: Node, options: SocketClientOptions = SHORT_DELAYS): Promise<Page> {
	const page = await chromium.openPage();
	opened.push({ page, errors: collectErrors(page) });
	await page.goto(served.url);
	await page.evaluate(([url, options]) => tab.connect(url, options), [`ws://127.0.0.1:${port}/ws`, options] as const);
	return page;
}

const received = (page: Page): Promise<number[]> => page.evaluate(() => tab.received);
const gaps = (page: Page): Promise<GapNotice[]> => page.evaluate(() => tab.gaps);

async function untilReceived(page: Page, number: number): Promise<void> {
	await until(async () => (await received(page)).includes(number), { what: `${number} has arrived` });
}

async function untilState(page: Page, state: ClientState): Promise<void> {
	await until(() => page.evaluate((wanted) => tab.state() === wanted, state), { what: `the client is ${state}` });
}

/** Resolves once the page has received a gap. Expects exactly one gap, which must include these times. */
async function expectGapAround(page: Page, ...times: number[]): Promise<void> {
	await until(async () => (await gaps(page)).length > 0, { what: 'the gap is reported' });
	const all = await gaps(page);
	expect(all).toHaveLength(1);
	const [{ since, until: end } = { since: 0, until: 0 }] = all;
	for (const time of times) {
		expect(time).toBeGreaterThanOrEqual(since);
		expect(time).toBeLessThanOrEqual(end);
	}
}

test('reconnects to a server that was killed and restarted, and reports a gap', async () => {
	const node = await startNode();
	const page = await openTab(node);
	await node.tick(1);
	await untilReceived(page, 1);

	node.process.kill('SIGKILL');
	await untilState(page, 'waiting');
	const again = await startNode(node.port);
	const missed = await again.tick(2);
	await untilState(page, 'ready');
	await expectGapAround(page, missed);
	await again.tick(3);
	await untilReceived(page, 3);
	expect(await page.evaluate(() => tab.double(21))).toBe(42);
	expect((await received(page)).filter((number) => number !== 2)).toEqual([1, 3]);
});

test('detects a lost network, and reconnects at once when it is back', async () => {
	const node = await startNode();
	const page = await openTab(node, LONG_DELAYS);
	await node.tick(1);
	await untilReceived(page, 1);

	await takeOffline(page);
	await untilState(page, 'waiting');
	const missed = [await node.tick(2), await node.tick(3)];
	await bringOnline(page);
	await untilState(page, 'ready');
	await expectGapAround(page, ...missed);
	await node.tick(4);
	await untilReceived(page, 4);
	expect(await received(page)).toEqual([1, 4]);
});

test('a short network outage does not end the connection', async () => {
	const node = await startNode();
	const page = await openTab(node, { heartbeat: { intervalMs: 20_000, timeoutMs: 10_000 } });
	await takeOffline(page);
	await node.tick(1);
	await bringOnline(page);
	await untilReceived(page, 1);
	expect(await page.evaluate(() => tab.states)).toEqual(['connecting', 'ready']);
	expect(await gaps(page)).toEqual([]);
});

describe('a hidden tab', () => {
	test('keeps receiving, and reconnects when the connection is lost', async () => {
		const node = await startNode();
		const page = await openTab(node);
		await hidePage(page);
		await node.tick(1);
		await untilReceived(page, 1);

		node.process.kill('SIGKILL');
		await untilState(page, 'waiting');
		const again = await startNode(node.port);
		await untilState(page, 'ready');
		await expectGapAround(page);
		await again.tick(2);
		await untilReceived(page, 2);
	});

	test('reconnects at once when it is shown', async () => {
		const node = await startNode();
		const page = await openTab(node, LONG_DELAYS);
		await hidePage(page);
		node.process.kill('SIGKILL');
		await untilState(page, 'waiting');
		await startNode(node.port);
		expect(await page.evaluate(() => tab.state())).toBe('waiting');
		await showPage(page);
		await untilState(page, 'ready');
	});

	test('reports a gap after it was frozen', async () => {
		const node = await startNode();
		const page = await openTab(node);
		await freezePage(page);
		const missed = await node.tick(1);
		await resumePage(page);
		await showPage(page);
		// The client's state stays `ready` until it detects the loss, so wait for the gap instead.
		await expectGapAround(page, missed);
		await node.tick(2);
		await untilReceived(page, 2);
	});
});

test('two tabs on two nodes receive the same, and a killed node does not affect the tab of the other', async () => {
	const redis = await startRedis();
	try {
		const [one, other] = await Promise.all([startNode(undefined, redis), startNode(undefined, redis)]);
		const [left, right] = [await openTab(one), await openTab(other)];
		await one.tick(1);
		await other.tick(2);
		for (const page of [left, right]) {
			await untilReceived(page, 1);
			await untilReceived(page, 2);
		}

		one.process.kill('SIGKILL');
		await untilState(left, 'waiting');
		const missed = await other.tick(3);
		await untilReceived(right, 3);
		const again = await startNode(one.port, redis);
		await untilState(left, 'ready');
		await expectGapAround(left, missed);
		await again.tick(4);
		await Promise.all([untilReceived(left, 4), untilReceived(right, 4)]);
		expect((await received(right)).filter((number) => number > 0)).toEqual([1, 2, 3, 4]);
		expect(await right.evaluate(() => tab.states)).toEqual(['connecting', 'ready']);
	} finally {
		await redis.stop();
	}
});
