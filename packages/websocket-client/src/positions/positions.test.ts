import { until } from '@orijs/testkit';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type GapNotice, type Position, SocketClient } from '../index.ts';
import { LocalTestServer } from '../test-support/local-test-server.ts';
import { MapStorage } from '../test-support/map-storage.ts';

const DAY_MS = 24 * 3_600_000;

afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

async function startServer(): Promise<LocalTestServer> {
	const server = await LocalTestServer.start();
	onTestFinished(() => server.end());
	await server.serve();
	return server;
}

interface Tab {
	readonly client: SocketClient;
	readonly numbers: number[];
	readonly gaps: GapNotice[];
	readonly errors: string[];
	follow(topic: string): Promise<void>;
}

/** Opens a tab whose client keeps its positions in this storage. */
async function openTab(server: LocalTestServer, storage: MapStorage): Promise<Tab> {
	const client = new SocketClient(server.url, { positions: storage, reconnect: { minDelayMs: 20, maxDelayMs: 100 } });
	const tab: Tab = {
		client,
		numbers: [],
		gaps: [],
		errors: [],
		async follow(topic) {
			await client.subscribe(topic, {
				onMessage: (data) => tab.numbers.push((data as { n: number }).n),
				onGap: (gap) => tab.gaps.push(gap),
			});
		},
	};
	client.onError((error, stage) => tab.errors.push(`${stage}: ${error.message}`));
	onTestFinished(() => client.close());
	await client.connect();
	return tab;
}

const keyOf = (server: LocalTestServer, topic: string): string => `orijs ${server.url} ${topic}`;

function stored(server: LocalTestServer, { values }: MapStorage, topic: string): Position | undefined {
	const value = values.get(keyOf(server, topic));
	return value === undefined ? undefined : (JSON.parse(value) as [number, Position])[1];
}

function store(server: LocalTestServer, storage: MapStorage, topic: string, position: unknown, at = Date.now()): void {
	storage.values.set(keyOf(server, topic), JSON.stringify([at, position]));
}

async function untilReceived({ numbers }: Tab, count: number): Promise<void> {
	await until(() => numbers.length >= count, { what: () => `${count} messages arrive, not only ${numbers.length}` });
}

describe('two tabs with one storage', () => {
	it('each resume all of their topics, whichever closes last', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const [left, right] = [await openTab(server, storage), await openTab(server, storage)];
		await left.follow('long:left');
		await right.follow('long:right');
		await server.emit('long:left', 1);
		await server.emit('long:right', 2);
		await Promise.all([untilReceived(left, 1), untilReceived(right, 1)]);
		await left.client.close();
		await right.client.close();
		await server.emit('long:left', 3);
		await server.emit('long:right', 4);

		const both = await openTab(server, storage);
		await both.follow('long:left');
		await both.follow('long:right');
		await untilReceived(both, 2);
		await server.emit('long:left', 5);
		await untilReceived(both, 3);
		expect(both.numbers).toEqual([3, 4, 5]);
		expect([left.numbers, right.numbers, both.gaps]).toEqual([[1], [2], []]);
	});

	it('never take each other’s position in a topic back', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const ahead = await openTab(server, storage);
		await ahead.follow('long:t');
		const behind = await openTab(server, storage);
		await behind.follow('long:t');
		await server.emit('long:t', 1);
		await Promise.all([untilReceived(ahead, 1), untilReceived(behind, 1)]);
		// The message before the position is what the tab behind would write.
		const position = behind.client.positions['long:t'] as Position;
		store(server, storage, 'long:t', { ...position, offset: position.offset + 1 });
		await behind.client.close();
		expect(stored(server, storage, 'long:t')?.offset).toBe(position.offset + 1);

		store(server, storage, 'long:t', { epoch: 'another', offset: 2 ** 50 });
		await ahead.client.close();
		expect(stored(server, storage, 'long:t')).toEqual(position);
	});

	it('resume from the furthest position of both', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const [first, second] = [await openTab(server, storage), await openTab(server, storage)];
		await first.follow('long:t');
		await server.emit('long:t', 1);
		await untilReceived(first, 1);
		await second.follow('long:t');
		await second.client.close();
		await server.emit('long:t', 2);
		await untilReceived(first, 2);
		await first.client.close();
		await server.emit('long:t', 3);

		const later = await openTab(server, storage);
		await later.follow('long:t');
		await untilReceived(later, 1);
		expect(later.numbers).toEqual([3]);
	});
});

describe('a position', () => {
	it('is written when a rewind has been delivered, although no other message follows', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		await server.emitAll('long:t', [1, 2, 3]);
		const first = await openTab(server, storage);
		const heard: number[] = [];
		const hear = (data: unknown): unknown => heard.push((data as { n: number }).n);
		await first.client.subscribe('long:t', { rewind: 2, onMessage: hear });
		await first.client.close();
		expect(stored(server, storage, 'long:t')?.offset).toBeGreaterThan(0);

		const second = await openTab(server, storage);
		await server.emitAll('long:t', [4, 5, 6]);
		await second.client.subscribe('long:t', { rewind: 2, onMessage: hear });
		await until(() => heard.length === 5, { what: 'what was missed arrives' });
		expect(heard).toEqual([2, 3, 4, 5, 6]);

		// A message that arrived while another subscription was reading its pages.
		const later = second.client.subscribe('long:t', { rewind: 1 });
		await server.emit('long:t', 7);
		await until(() => heard.length === 6, { what: 'the message arrives' });
		await later;
		await second.client.close();
		expect(stored(server, storage, 'long:t')).toEqual(second.client.positions['long:t']);
	});

	it('is written as soon as the topic is subscribed to, so that a page that closes at once misses nothing', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const first = await openTab(server, storage);
		await first.follow('long:t');
		await first.client.close();
		await server.emit('long:t', 1);

		const second = await openTab(server, storage);
		await second.follow('long:t');
		await untilReceived(second, 1);
		expect([second.numbers, second.gaps]).toEqual([[1], []]);
	});

	it('is written about once a second, however many messages arrive', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const tab = await openTab(server, storage);
		await tab.follow('long:t');
		await server.emitAll(
			'long:t',
			Array.from({ length: 500 }, (_, n) => n),
		);
		await untilReceived(tab, 500);
		const { positions } = tab.client;
		await until(() => stored(server, storage, 'long:t')?.offset === positions['long:t']?.offset, {
			what: 'the last position is written',
		});
		expect(storage.writes).toBeLessThan(10);
	});

	it.each(['pagehide', 'visibilitychange'])(
		'is written at once on %s, and a closed client no longer listens',
		async (type) => {
			const server = await startServer();
			const storage = new MapStorage();
			const page = new EventTarget();
			const listening = new Set<unknown>();
			vi.stubGlobal('addEventListener', (name: string, listener: () => void, options: AddEventListenerOptions) => {
				listening.add(listener);
				options.signal?.addEventListener('abort', () => listening.delete(listener));
				page.addEventListener(name, listener, options);
			});
			const tab = await openTab(server, storage);
			await tab.follow('long:t');
			expect(stored(server, storage, 'long:t')).toBeUndefined();
			page.dispatchEvent(new Event(type));
			expect(stored(server, storage, 'long:t')).toEqual(tab.client.positions['long:t']);
			await server.emit('long:t', 1);
			await untilReceived(tab, 1);
			await tab.client.close();
			// A client that is closed must not be kept in memory by the page.
			expect(listening.size).toBe(0);
		},
	);

	it('never includes a message whose listeners have not all been called', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const tab = await openTab(server, storage);
		await server.emit('long:t', 0);
		const seen: unknown[] = [];
		await tab.client.subscribe('long:t', { onMessage: () => tab.client.close() });
		await tab.client.subscribe('long:t', {
			onMessage: () => void seen.push(stored(server, storage, 'long:t')?.offset),
		});
		const before = tab.client.positions['long:t']?.offset;
		await server.emit('long:t', 1);
		await until(() => seen.length === 1, { what: 'both listeners were called' });
		expect(seen).toEqual([before]);
		const after = tab.client.positions['long:t'];
		expect(after?.offset).toBeGreaterThan(before as number);
		await until(() => stored(server, storage, 'long:t')?.offset === after?.offset, { what: 'it is written' });
	});

	it('is kept when the last subscription closes, and used by the next one', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const tab = await openTab(server, storage);
		const numbers: number[] = [];
		const onMessage = (data: unknown) => void numbers.push((data as { n: number }).n);
		const subscription = await tab.client.subscribe('long:t', { onMessage });
		await server.emit('long:t', 1);
		await until(() => numbers.length === 1, { what: 'the message arrives' });
		await subscription.close();
		await server.emit('long:t', 2);
		await tab.client.subscribe('long:t', { onMessage });
		await until(() => numbers.length === 2, { what: 'the missed message arrives' });
		expect(numbers).toEqual([1, 2]);
	});

	it('that can’t be recovered is replaced only after the gap was reported', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const lost = { epoch: 'another', offset: 7 };
		store(server, storage, 'long:t', lost);
		const tab = await openTab(server, storage);
		const atGap: unknown[] = [];
		tab.client.onGap(() => {
			void tab.client.close();
			atGap.push(stored(server, storage, 'long:t'));
		});
		await tab.follow('long:t');
		await until(() => tab.gaps.length === 1, { what: 'the gap is reported' });
		expect(atGap).toEqual([lost]);
		await until(() => stored(server, storage, 'long:t')?.epoch !== 'another', { what: 'the position is replaced' });
	});

	it('is forgotten after seven days', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		for (const topic of ['old', 'recent']) store(server, storage, `long:${topic}`, { epoch: 'lost', offset: 1 });
		const at = Date.now();
		store(server, storage, 'long:old', { epoch: 'lost', offset: 1 }, at - 7 * DAY_MS - 60_000);
		store(server, storage, 'long:recent', { epoch: 'lost', offset: 1 }, at - 7 * DAY_MS + 60_000);
		const tab = await openTab(server, storage);
		await tab.follow('long:old');
		await tab.follow('long:recent');
		await until(() => tab.gaps.length > 0, { what: 'a position is found to be lost' });
		expect(tab.gaps.map(({ topic }) => topic)).toEqual(['long:recent']);
	});

	it('of the oldest topics is forgotten when there are more than 1,000 of an endpoint', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const position = { epoch: 'e', offset: 1 };
		const at = Date.now() - 2_000;
		for (let i = 0; i < 1_001; i++) store(server, storage, `t:${i}`, position, at + ((i * 10) % 1_001));
		storage.values.set('orijs ws://elsewhere/ws t:0', 'x');
		storage.values.set('other', 'y');
		const tab = await openTab(server, storage);
		await tab.follow('long:t');
		await tab.client.close();

		expect(storage.values.size).toBe(1_002);
		expect(stored(server, storage, 'long:t')).toBeDefined();
		const gone = Array.from({ length: 1_001 }, (_, i) => i).filter((i) => !storage.values.has(keyOf(server, `t:${i}`)));
		expect(gone.map((i) => (i * 10) % 1_001)).toEqual(expect.arrayContaining([0, 1]));
		expect(gone).toHaveLength(2);
	});
});

it('the query of the URL is not stored', async () => {
	const storage = new MapStorage();
	const server = await startServer();
	const client = new SocketClient(`${server.url}?token=secret`, { positions: storage });
	onTestFinished(() => client.close());
	await client.connect();
	await client.subscribe('long:t');
	await client.close();
	expect([...storage.values.keys()]).toEqual([keyOf(server, 'long:t')]);
});

it('a client resumes from a position that another client stored, and from no other topic or endpoint', async () => {
	const server = await startServer();
	const storage = new MapStorage();
	const lost = { epoch: 'lost', offset: 1 };
	store(server, storage, 'long:tt', lost);
	storage.values.set(`orijs ${server.url}2 long:t`, JSON.stringify([Date.now(), lost]));
	const tab = await openTab(server, storage);
	await tab.follow('long:t');
	await server.emit('long:t', 1);
	await untilReceived(tab, 1);
	expect(tab.gaps).toEqual([]);
});

describe('a storage that fails', () => {
	it.each(['getItem', 'setItem', 'key'] as const)('in %s is reported once, and messages arrive', async (failing) => {
		const server = await startServer();
		const storage = new MapStorage();
		storage.fault = (call) => call === failing;
		const tab = await openTab(server, storage);
		for (const topic of ['long:t', 'long:u']) await tab.follow(topic);
		for (const n of [1, 2]) {
			await server.emit('long:t', n);
			await untilReceived(tab, n);
			await tab.client.close();
			await tab.client.connect();
		}
		expect([tab.numbers, tab.gaps, tab.errors]).toEqual([[1, 2], [], [`storage: ${failing} failed`]]);
	});

	it.each([
		['text that is not JSON', '{', /JSON/],
		['another type', '5', /./],
		['no position', '[1795480303331,{"epoch":"e"}]', /positions\.long:t must be \{ epoch, offset \}/],
		['null', 'null', /./],
	])('because it holds %s, is reported, and the value is replaced', async (_, value, message) => {
		const server = await startServer();
		const storage = new MapStorage();
		storage.values.set(keyOf(server, 'long:t'), value);
		const tab = await openTab(server, storage);
		await tab.follow('long:t');
		await server.emit('long:t', 1);
		await untilReceived(tab, 1);
		await tab.client.close();
		expect(tab.errors).toEqual([expect.stringMatching(/^storage: /)]);
		expect(tab.errors[0]).toMatch(message);
		expect([tab.numbers, tab.gaps]).toEqual([[1], []]);
		expect(stored(server, storage, 'long:t')).toBeDefined();
	});

	it('is not used for topics without history', async () => {
		const server = await startServer();
		const storage = new MapStorage();
		const tab = await openTab(server, storage);
		await tab.follow('plain');
		await server.emit('plain', 1);
		await untilReceived(tab, 1);
		await tab.client.close();
		expect([storage.values.size, tab.errors]).toEqual([0, []]);
	});
});
