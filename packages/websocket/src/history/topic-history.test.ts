import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HistoryUnavailableError } from '../errors.ts';
import type { Position } from '../protocol/position.ts';
import { catchUp, type Reader, type Recovery } from './catch-up.ts';
import type { HistoryBounds, HistorySlice, HistoryStore } from './history-store.ts';
import { MemoryHistory } from './memory-history.ts';
import { TopicHistory } from './topic-history.ts';

const TOPIC = 't';
const ROOMY: HistoryBounds = { size: 1_000, bytes: 1_000_000, ttlMs: 60_000 };

interface Frame {
	readonly data: number;
	readonly position: { readonly epoch: string; readonly offset: number; readonly prev: number };
}

interface Loss {
	readonly since: number;
	readonly after: number;
	readonly position: Position;
}

/** A node that shares a store with others: its connection may lose slices, and reads may be slow or fail. */
class FlakyNode {
	readonly delivered: Frame[] = [];
	readonly losses: Loss[] = [];
	/** The positions sent to sockets, each with the number of messages delivered before it. */
	readonly told: { readonly after: number; readonly position: Position }[] = [];
	readonly liveSockets = new Set<(frame: Frame) => void>();
	readonly toldSockets = new Set<(position: Position) => void>();
	readonly history: TopicHistory;
	readonly bounds: HistoryBounds;
	/** How many of the next slices the connection loses. */
	dropping = 0;
	/** How many of the next reads fail. */
	failing = 0;
	/** How many turns of the event loop pass before and after each read. */
	slowness = 0;
	appended = 0;
	#store: MemoryHistory;
	readonly #inFlight: HistorySlice[] = [];

	constructor(bounds: HistoryBounds = ROOMY) {
		this.bounds = bounds;
		this.#store = this.#newStore();
		const store: HistoryStore = {
			prepare: () => Promise.resolve(),
			append: (...args) => this.#store.append(...args),
			read: async (...args) => {
				await turns(this.slowness);
				if (this.failing > 0) {
					this.failing--;
					throw new Error('a failure requested by the test');
				}
				const slice = await this.#store.read(...args);
				await turns(this.slowness);
				return slice;
			},
		};
		this.history = new TopicHistory({
			topic: TOPIC,
			bounds,
			store,
			deliver: (text) => {
				const frame = JSON.parse(String(text)) as Frame;
				this.delivered.push(frame);
				for (const deliver of this.liveSockets) deliver(frame);
			},
			onBegun: (position) => this.#tell(position),
			onLost: (since, position) => {
				this.losses.push({ after: this.delivered.length, position, since });
				this.#tell(position);
			},
			onUnreadable: () => {},
			onRead: () => {},
		});
	}

	#tell(position: Position): void {
		this.told.push({ after: this.delivered.length, position });
		for (const socket of this.toldSockets) socket(position);
	}

	#newStore(): MemoryHistory {
		return new MemoryHistory((_, slice) => {
			if (this.dropping > 0) this.dropping--;
			else this.#inFlight.push(slice);
		});
	}

	/** The position of the last message that is stored, whether it has arrived here or not. */
	async storedPosition(): Promise<Position> {
		const { epoch, last } = await this.#store.read(TOPIC, { limit: 0 }, this.bounds);
		return { epoch, offset: last };
	}

	append(count = 1): void {
		const contents = Array.from({ length: count }, () => JSON.stringify({ data: this.appended++ }));
		void this.#store.append(TOPIC, contents, this.bounds);
	}

	/** Another topic gets its first message. */
	beginOther(): void {
		void this.#store.append(crypto.randomUUID(), ['x'], this.bounds);
		this.#inFlight.pop();
	}

	/** The store loses everything and starts over. */
	flush(): void {
		this.#store.close();
		this.#store = this.#newStore();
	}

	/** Lets up to `count` slices arrive. */
	arrive(count = Infinity): void {
		for (const slice of this.#inFlight.splice(0, count)) this.history.appended(slice);
	}

	/** Lets everything arrive and waits until the node has read what is missing. */
	async settle(): Promise<void> {
		this.failing = 0;
		this.slowness = 0;
		this.arrive();
		this.history.verify(Date.now());
		const { last, epoch } = await this.#store.read(TOPIC, { limit: 0 }, this.bounds);
		for (let i = 0; i < 500; i++) {
			await new Promise((resolve) => setTimeout(resolve, 1));
			const { cursor } = this.history;
			if (cursor?.offset === last && cursor.epoch === epoch) return;
		}
		throw new Error(`the node is at ${this.history.cursor?.offset}, not at ${last}`);
	}

	get numbers(): number[] {
		return this.delivered.map(({ data }) => data);
	}

	close(): void {
		this.history.close();
		this.#store.close();
	}
}

async function turns(count: number): Promise<void> {
	for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

type Kind = 'append' | 'arrive' | 'drop' | 'fail' | 'slow' | 'wait' | 'verify' | 'flush' | 'resume';
type Step = readonly [Kind | 'other' | 'renew' | 'arrival', number];

const step = (...kinds: Step[0][]): fc.Arbitrary<Step> =>
	fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 4 }));

async function apply(node: FlakyNode, [kind, count]: Step): Promise<void> {
	if (kind === 'append') node.append(count);
	else if (kind === 'arrive') node.arrive(count);
	else if (kind === 'drop') node.dropping = count;
	else if (kind === 'fail') node.failing = 1;
	else if (kind === 'slow') node.slowness = count;
	else if (kind === 'wait') await turns(count);
	else if (kind === 'verify') node.history.verify(Date.now());
	else if (kind === 'flush') node.flush();
	else if (kind === 'other') node.beginOther();
	else if (kind === 'renew') void node.history.renew();
}

it('every message that the connection loses is delivered once and in order', async () => {
	const steps = fc.array(step('append', 'append', 'arrive', 'arrive', 'drop', 'fail', 'slow', 'wait', 'verify'), {
		maxLength: 40,
	});
	await fc.assert(
		fc.asyncProperty(steps, async (all) => {
			const node = new FlakyNode();
			await node.history.open();
			for (const each of all) await apply(node, each);
			await node.settle();
			node.close();
			expect(node.numbers).toEqual(Array.from({ length: node.appended }, (_, n) => n));
			expect(node.losses).toEqual([]);
			expect(node.told.length).toBe(node.appended > 0 ? 1 : 0);
		}),
		{ numRuns: 150 },
	);
});

it('a loss is reported where messages are gone for good, and only there', async () => {
	const steps = fc.array(step('append', 'append', 'arrive', 'arrive', 'drop', 'slow', 'wait', 'verify', 'flush'), {
		maxLength: 40,
	});
	await fc.assert(
		fc.asyncProperty(steps, async (all) => {
			const node = new FlakyNode({ ...ROOMY, size: 5 });
			await node.history.open();
			let last: Position | undefined = node.history.cursor;
			for (const each of all) await apply(node, each);
			await node.settle();
			node.close();
			const told = [...node.told];
			for (const [index, { position }] of node.delivered.entries()) {
				while (told[0] !== undefined && told[0].after <= index) last = told.shift()?.position;
				expect([position.epoch, position.prev]).toEqual([last?.epoch, last?.offset]);
				last = position;
			}
			expect(node.numbers).toEqual([...new Set(node.numbers)].toSorted((a, b) => a - b));
		}),
		{ numRuns: 150 },
	);
});

it('messages whose slice is lost are read, also if those before them are gone for good', async () => {
	const node = new FlakyNode({ ...ROOMY, size: 5 });
	await node.history.open();
	const steps: Step[] = [
		['append', 1],
		['flush', 1],
		['verify', 1],
		['append', 3],
		['drop', 1],
		['append', 3],
	];
	for (const each of steps) await apply(node, each);
	await node.settle();
	node.close();
	expect(node.numbers.slice(-3)).toEqual([4, 5, 6]);
});

it('a socket that catches up receives what it missed and then the live messages, once and in order', async () => {
	const steps = fc.array(step('append', 'append', 'arrive', 'drop', 'slow', 'wait', 'verify', 'resume'), {
		maxLength: 40,
	});
	await fc.assert(
		fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (all, room) => {
			const node = new FlakyNode();
			node.append(3);
			node.arrive();
			await node.history.open();
			const { epoch = '' } = node.history.cursor ?? {};
			const got: { readonly from: number; readonly numbers: number[]; readonly done: Promise<Recovery | undefined> }[] =
				[];
			const resume = (): void => {
				// Starts at the first message delivered on this node or, without one, at the first message of all.
				const from = node.delivered.length === 0 ? 0 : (node.delivered[0]?.data ?? 0);
				const since = { epoch, offset: node.delivered[0]?.position.prev ?? 0 };
				const numbers: number[] = [];
				got.push({ from, numbers, done: catchUp(node.history, { since }, reader(node, numbers, room)) });
			};
			for (const each of all) {
				if (each[0] === 'resume') resume();
				else await apply(node, each);
			}
			resume();
			await node.settle();
			for (const { from, numbers, done } of got) {
				expect(await done).toMatchObject({ recovered: true });
				expect(numbers).toEqual(Array.from({ length: node.appended - from }, (_, n) => n + from));
			}
			node.close();
		}),
		{ numRuns: 500 },
	);
});

/** Accepts messages as a client does: only those that follow its position. */
class FollowingClient implements Reader {
	readonly floor = undefined;
	readonly isActive = true;
	readonly numbers: number[] = [];
	readonly unexpected: Frame[] = [];
	readonly done: Promise<Recovery | undefined>;
	readonly #node: FlakyNode;
	#position: Position | undefined;

	constructor(node: FlakyNode, from: { readonly since?: Position; readonly rewind?: number }) {
		this.#node = node;
		this.#position = from.since;
		this.done = catchUp(node.history, from, this);
	}

	#receive(frame: Frame): void {
		const { epoch, offset, prev } = frame.position;
		if (epoch !== this.#position?.epoch || prev !== this.#position.offset) this.unexpected.push(frame);
		this.#position = { epoch, offset };
		this.numbers.push(frame.data);
	}

	send({ messages }: { readonly messages: readonly { readonly frame: string | Uint8Array }[] }, from: number): number {
		const next = messages[from];
		if (next === undefined) return 0;
		this.#receive(JSON.parse(String(next.frame)) as Frame);
		return 1;
	}

	waitForRoom(): Promise<void> {
		return turns(1);
	}

	rename(position: Position): void {
		this.#position = position;
	}

	rewind(position: Position): void {
		this.#position = position;
	}

	goLive({ position }: Recovery): void {
		this.#position = position;
		this.#node.liveSockets.add((frame) => this.#receive(frame));
		this.#node.toldSockets.add((told) => (this.#position = told));
	}

	closeAsTooSlow(): void {
		throw new Error('every message is still stored');
	}
}

it('a socket continues from a position before the first message, on any node, without gaps or losses', async () => {
	const steps = fc.array(
		step('append', 'arrive', 'drop', 'slow', 'wait', 'verify', 'other', 'renew', 'resume', 'resume', 'arrival'),
		{ maxLength: 30 },
	);
	await fc.assert(
		fc.asyncProperty(steps, fc.boolean(), async (all, isOpened) => {
			const node = new FlakyNode();
			const first = await node.storedPosition();
			if (isOpened) await node.history.open();
			const clients: { readonly from: number; readonly client: FollowingClient; readonly isNew: boolean }[] = [];
			for (const each of all) {
				const from = node.appended;
				if (each[0] === 'resume')
					clients.push({ from: 0, client: new FollowingClient(node, { since: first }), isNew: false });
				else if (each[0] === 'arrival')
					// A client that comes from an up-to-date node.
					clients.push({
						from,
						client: new FollowingClient(node, { since: await node.storedPosition() }),
						isNew: false,
					});
				else await apply(node, each);
			}
			clients.push({ from: 0, client: new FollowingClient(node, { since: first }), isNew: false });
			clients.push({ from: 0, client: new FollowingClient(node, { rewind: 1_000 }), isNew: true });
			await node.settle();
			for (const { from, client, isNew } of clients) {
				expect((await client.done)?.recovered).toBe(isNew ? undefined : true);
				expect(client.unexpected).toEqual([]);
				expect(client.numbers).toEqual(Array.from({ length: node.appended - from }, (_, n) => n + from));
			}
			expect(node.losses).toEqual([]);
			node.close();
		}),
		{ numRuns: 500 },
	);
});

it('renewing a topic that has not begun sends its sockets a later position; otherwise it sends nothing', async () => {
	const node = new FlakyNode();
	await node.history.renew();
	expect(node.told).toEqual([]);
	await node.history.open();
	const before = node.history.cursor;
	node.beginOther();
	await node.history.renew();
	const { position } = node.told[0] ?? {};
	expect(position).toEqual(await node.storedPosition());
	expect(position).not.toEqual(before);
	node.append();
	node.arrive();
	const told = node.told.length;
	await node.history.renew();
	expect(node.told.length).toBe(told);
	node.close();
	await node.history.renew();
	expect(node.told.length).toBe(told);
});

it('a socket that is ahead of this node receives what follows its position, and nothing twice', async () => {
	const node = new FlakyNode();
	node.append(2);
	node.arrive();
	await node.history.open();
	node.append(3);
	const since = await node.storedPosition();
	node.append();
	const numbers: number[] = [];
	expect(await catchUp(node.history, { since }, reader(node, numbers, 5))).toMatchObject({ recovered: true, count: 1 });
	node.arrive();
	node.append();
	node.arrive();
	await node.settle();
	node.close();
	expect(numbers).toEqual([5, 6]);
	expect(node.losses).toEqual([]);
});

it('a socket that is ahead of this node gets an error if the store can’t be read', async () => {
	const node = new FlakyNode();
	node.append();
	node.arrive();
	await node.history.open();
	node.append();
	const since = await node.storedPosition();
	node.failing = 1_000;
	const resumed = catchUp(node.history, { since }, reader(node, [], 5));
	await expect(resumed).rejects.toBeInstanceOf(HistoryUnavailableError);
	node.failing = 0;
	node.close();
});

/** A reader that takes at most `room` messages at once. */
function reader(node: FlakyNode, numbers: number[], room: number): Reader {
	return {
		isActive: true,
		floor: undefined,
		send(window, from) {
			const some = window.messages.slice(from, from + room);
			for (const { frame } of some) numbers.push((JSON.parse(String(frame)) as Frame).data);
			return some.length;
		},
		waitForRoom: () => turns(1),
		rename() {},
		rewind() {},
		goLive: () => void node.liveSockets.add(({ data }) => numbers.push(data)),
		closeAsTooSlow() {
			throw new Error('every message is still stored');
		},
	};
}

it('a late slice that was read already is not delivered again, even if the messages after it are gone', async () => {
	const node = new FlakyNode({ ...ROOMY, size: 2 });
	await node.history.open();
	node.append();
	node.history.verify(Date.now());
	await turns(5);
	expect(node.numbers).toEqual([0]);
	node.dropping = 4;
	for (let n = 0; n < 4; n++) node.append();
	node.arrive();
	await node.settle();
	node.append();
	node.arrive();
	await node.settle();
	node.close();
	expect(node.numbers).toEqual([0, 5]);
	expect(node.losses.map(({ after }) => after)).toEqual([1]);
});

it('a loss begins where the interruption did, even if slices from before it were processed after it', async () => {
	const node = new FlakyNode({ ...ROOMY, size: 2 });
	await node.history.open();
	node.append();
	// As after a freeze: the slice that arrived before it is processed only now, and those that followed are lost.
	const interruptedSince = Date.now() - 8_000;
	node.arrive();
	node.dropping = 4;
	for (let n = 0; n < 4; n++) node.append();
	node.history.verify(interruptedSince);
	await node.settle();
	node.close();

	expect(node.losses).toHaveLength(1);
	expect(node.losses[0]?.since).toBeLessThanOrEqual(interruptedSince);
});
