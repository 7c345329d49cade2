import fc from 'fast-check';
import { expect, it } from 'vitest';
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
	readonly after: number;
	readonly position: Position;
}

/** A node that hears of a shared store over a connection that may lose slices, and reads it with delays and failures. */
class Stage {
	readonly delivered: Frame[] = [];
	readonly losses: Loss[] = [];
	readonly followers = new Set<(frame: Frame) => void>();
	readonly history: TopicHistory;
	readonly bounds: HistoryBounds;
	/** How many slices are lost on their way. */
	dropping = 0;
	/** How many reads fail. */
	failing = 0;
	/** How many turns a read takes. */
	slowness = 0;
	appended = 0;
	#store: MemoryHistory;
	readonly #underWay: HistorySlice[] = [];

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
					throw new Error('as a test has it');
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
			isShared: true,
			deliver: (text) => {
				const frame = JSON.parse(String(text)) as Frame;
				this.delivered.push(frame);
				for (const follow of this.followers) follow(frame);
			},
			onLost: (_, position) => this.losses.push({ after: this.delivered.length, position }),
			onError: () => {},
		});
	}

	#newStore(): MemoryHistory {
		return new MemoryHistory((_, slice) => {
			if (this.dropping > 0) this.dropping--;
			else this.#underWay.push(slice);
		});
	}

	append(count = 1): void {
		const contents = Array.from({ length: count }, () => JSON.stringify({ data: this.appended++ }));
		void this.#store.append(TOPIC, contents, this.bounds);
	}

	/** Everything is gone, and begins anew. */
	flush(): void {
		this.#store.close();
		this.#store = this.#newStore();
	}

	/** So many slices arrive. */
	arrive(count = Infinity): void {
		for (const slice of this.#underWay.splice(0, count)) this.history.appended(slice);
	}

	/** All is over and looked up. */
	async settle(): Promise<void> {
		this.failing = 0;
		this.slowness = 0;
		this.arrive();
		this.history.verify();
		const { last, epoch } = await this.#store.read(TOPIC, { limit: 0 }, this.bounds);
		for (let i = 0; i < 500; i++) {
			await new Promise((resolve) => setTimeout(resolve, 1));
			const { cursor } = this.history;
			if (cursor?.offset === last && cursor.epoch === epoch) return;
		}
		throw new Error(`it stands at ${this.history.cursor?.offset}, not at ${last}`);
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

type Step = readonly ['append' | 'arrive' | 'drop' | 'fail' | 'slow' | 'wait' | 'verify' | 'flush' | 'join', number];

const step = (...kinds: Step[0][]): fc.Arbitrary<Step> =>
	fc.tuple(fc.constantFrom(...kinds), fc.integer({ min: 1, max: 4 }));

async function play(stage: Stage, [kind, count]: Step): Promise<void> {
	if (kind === 'append') stage.append(count);
	else if (kind === 'arrive') stage.arrive(count);
	else if (kind === 'drop') stage.dropping = count;
	else if (kind === 'fail') stage.failing = 1;
	else if (kind === 'slow') stage.slowness = count;
	else if (kind === 'wait') await turns(count);
	else if (kind === 'verify') stage.history.verify();
	else if (kind === 'flush') stage.flush();
}

it('whatever goes missing on the way is delivered, once and in order', async () => {
	const steps = fc.array(step('append', 'append', 'arrive', 'arrive', 'drop', 'fail', 'slow', 'wait', 'verify'), {
		maxLength: 40,
	});
	await fc.assert(
		fc.asyncProperty(steps, async (all) => {
			const stage = new Stage();
			await stage.history.open();
			for (const each of all) await play(stage, each);
			await stage.settle();
			stage.close();
			expect(stage.numbers).toEqual(Array.from({ length: stage.appended }, (_, n) => n));
			expect(stage.losses).toEqual([]);
		}),
		{ numRuns: 150 },
	);
});

it('what was lost for good is told where it is missing, and only there', async () => {
	const steps = fc.array(step('append', 'append', 'arrive', 'arrive', 'drop', 'slow', 'wait', 'verify', 'flush'), {
		maxLength: 40,
	});
	await fc.assert(
		fc.asyncProperty(steps, async (all) => {
			const stage = new Stage({ ...ROOMY, size: 5 });
			await stage.history.open();
			let last: Position | undefined = stage.history.cursor;
			for (const each of all) await play(stage, each);
			await stage.settle();
			stage.close();
			const losses = [...stage.losses];
			for (const [index, { position }] of stage.delivered.entries()) {
				while (losses[0] !== undefined && losses[0].after <= index) last = losses.shift()?.position;
				expect([position.epoch, position.prev]).toEqual([last?.epoch, last?.offset]);
				last = position;
			}
			expect(stage.numbers).toEqual([...new Set(stage.numbers)].toSorted((a, b) => a - b));
		}),
		{ numRuns: 150 },
	);
});

it('a socket that catches up gets all that it missed and all that comes, once and in order', async () => {
	const steps = fc.array(step('append', 'append', 'arrive', 'drop', 'slow', 'wait', 'verify', 'join'), {
		maxLength: 40,
	});
	await fc.assert(
		fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (all, room) => {
			const stage = new Stage();
			stage.append(3);
			stage.arrive();
			await stage.history.open();
			const { epoch = '' } = stage.history.cursor ?? {};
			const got: { readonly from: number; readonly numbers: number[]; readonly done: Promise<Recovery | undefined> }[] =
				[];
			const join = (): void => {
				// The first message that is seen here, or the very beginning.
				const from = stage.delivered.length === 0 ? 0 : (stage.delivered[0]?.data ?? 0);
				const since = { epoch, offset: stage.delivered[0]?.position.prev ?? 0 };
				const numbers: number[] = [];
				got.push({ from, numbers, done: catchUp(stage.history, { since }, reader(stage, numbers, room)) });
			};
			for (const each of all) {
				if (each[0] === 'join') join();
				else await play(stage, each);
			}
			join();
			await stage.settle();
			for (const { from, numbers, done } of got) {
				expect(await done).toMatchObject({ recovered: true });
				expect(numbers).toEqual(Array.from({ length: stage.appended - from }, (_, n) => n + from));
			}
			stage.close();
		}),
		{ numRuns: 500 },
	);
});

/** One that takes only so many messages at once. */
function reader(stage: Stage, numbers: number[], room: number): Reader {
	return {
		isThere: true,
		send(window, from) {
			const some = window.messages.slice(from, from + room);
			for (const { frame } of some) numbers.push((JSON.parse(String(frame)) as Frame).data);
			return some.length;
		},
		room: () => turns(1),
		begin() {},
		goLive: () => void stage.followers.add(({ data }) => numbers.push(data)),
		tooSlow() {
			throw new Error('nothing is gone');
		},
	};
}

it('what was read already and comes late is not heard again, where what followed it is gone', async () => {
	const stage = new Stage({ ...ROOMY, size: 2 });
	await stage.history.open();
	stage.append();
	stage.history.verify();
	await turns(5);
	expect(stage.numbers).toEqual([0]);
	stage.dropping = 4;
	for (let n = 0; n < 4; n++) stage.append();
	stage.arrive();
	await stage.settle();
	stage.append();
	stage.arrive();
	await stage.settle();
	stage.close();
	expect(stage.numbers).toEqual([0, 5]);
	expect(stage.losses.map(({ after }) => after)).toEqual([1]);
});
