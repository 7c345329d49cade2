import { describe, expect, it } from 'vitest';
import type { Bus, BusHandlers } from '../bus.ts';
import type { HistorySlice, HistoryStore } from '../history/history-store.ts';
import type { Position } from '../protocol/position.ts';
import { BrokenBus, brokenBackend } from '../test-support/broken-backend.ts';
import { historyConformance } from './index.ts';

const REJECTED = 'appends and reads reject in an outage, and nothing is stored later';
const ONCE = 'of the appends that an outage interrupts, those that resolve are stored, and none twice';
const DELIVERED = 'providers deliver what they missed in an outage, once and in order, without a gap';

/** A bus in front of another one, with something wrong in its history. */
abstract class BrokenHistoryBus extends BrokenBus {
	override readonly history: HistoryStore;
	readonly store: HistoryStore;

	constructor(inner: Bus) {
		super(inner);
		const store = inner.history as HistoryStore;
		this.store = store;
		this.history = {
			prepare: () => store.prepare(),
			append: (...call) => this.append(...call),
			read: (...call) => this.read(...call),
		};
	}

	append(...call: Parameters<HistoryStore['append']>): Promise<Position | undefined> {
		return this.store.append(...call);
	}

	read(...call: Parameters<HistoryStore['read']>): Promise<HistorySlice> {
		return this.store.read(...call);
	}
}

/** Runs the suite and returns the names of the cases that fail. */
async function failures(broken: new (inner: Bus) => BrokenBus): Promise<string[]> {
	const cases = historyConformance(() => brokenBackend(broken));
	const outcomes = await Promise.allSettled(cases.map(({ run }) => run({ skip() {} })));
	return cases.flatMap(({ name }, i) => (outcomes[i]?.status === 'rejected' ? [name] : []));
}

const never = (): Promise<never> => new Promise(() => {});

describe('a history fails the cases that are meant for its defect, and no others, if it', () => {
	it('has none', async () => {
		expect(await failures(BrokenBus)).toEqual([]);
	});

	it('leaves reads without an answer in an outage', async () => {
		class Unanswered extends BrokenHistoryBus {
			override read(...call: Parameters<HistoryStore['read']>): Promise<HistorySlice> {
				return this.isCut ? never() : super.read(...call);
			}
		}
		expect(await failures(Unanswered)).toEqual([REJECTED]);
	});

	it('stores what it has rejected when the backend is back', async () => {
		class Queueing extends BrokenHistoryBus {
			readonly #queue: Parameters<HistoryStore['append']>[] = [];

			override async append(...call: Parameters<HistoryStore['append']>): Promise<Position | undefined> {
				if (this.isCut) {
					this.#queue.push(call);
					throw new Error('queued');
				}
				for (const queued of this.#queue.splice(0)) await super.append(...queued);
				return super.append(...call);
			}
		}
		expect(await failures(Queueing)).toEqual([REJECTED]);
	});

	it('appends again what an outage interrupted', async () => {
		class Repeating extends BrokenHistoryBus {
			override async append(...call: Parameters<HistoryStore['append']>): Promise<Position | undefined> {
				const wasCut = this.isCut;
				try {
					return await super.append(...call);
				} catch (error) {
					if (wasCut) throw error;
					while (this.isCut) await Bun.sleep(1);
					return super.append(...call);
				}
			}
		}
		// Whether an outage interrupts an append of the providers is a matter of chance.
		expect((await failures(Repeating)).filter((name) => name !== DELIVERED)).toEqual([ONCE]);
	});

	it('can read nothing after an outage', async () => {
		class Blind extends BrokenHistoryBus {
			#wasCut = false;

			protected override change(handlers: BusHandlers): Partial<BusHandlers> {
				return {
					status: (status) => {
						this.#wasCut ||= status.state === 'degraded';
						handlers.status(status);
					},
				};
			}

			override async read(...call: Parameters<HistoryStore['read']>): Promise<HistorySlice> {
				if (this.#wasCut) throw new Error('not readable');
				return super.read(...call);
			}
		}
		expect(await failures(Blind)).toEqual([DELIVERED]);
	});
});
