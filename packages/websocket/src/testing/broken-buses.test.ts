import { describe, expect, it } from 'vitest';
import type { Bus, BusHandlers, BusLiveness } from '../bus.ts';
import { BrokenBus, brokenBackend } from '../test-support/broken-backend.ts';
import { busConformance, type MemoryBackendOptions } from './index.ts';

const INTERRUPTED = 'reports an outage as interrupted, at its end and from before the first frame that was missed';
const TOLD = 'has liveness that tells of an interruption until it is reported';
const IN_TIME = 'reports an interruption before promises that waited for its end resolve';
const EVERY_CHANNEL = 'receives on every channel again after an outage, without another subscribe';
const REJECTED = 'rejects publish in an outage, and never delivers that frame later';
const ONCE = 'neither repeats nor reorders frames that an outage interrupts, and loses none that it accepted';
const PENDING = 'keeps subscribe pending in an outage, until frames from other nodes will arrive';
const CALLS = 'applies subscribe and unsubscribe calls of an outage, in their order';
const STATUS = 'is degraded in an outage, with a reason, and ready after it';
const STOP = 'stops in an outage, calls no handler after that, and can be started again';
const START = 'rejects a start that an outage delays when stop is called';
const REPORTED = 'lets providers report every message that an outage costs';
const BOTH = 'lets providers report every message that an outage of both their links costs';
const HEARTBEATS =
	'has heartbeats that replace a dead connection, and lets providers report every message that it cost';
const HEARTBEATS_COLLECTED = `${HEARTBEATS}, while it collects their beats`;

/** Runs the suite and returns the names of the cases that fail. */
async function failures(broken: new (inner: Bus) => BrokenBus, options?: MemoryBackendOptions): Promise<string[]> {
	const cases = busConformance(() => brokenBackend(broken, options));
	const outcomes = await Promise.allSettled(cases.map(({ run }) => run({ skip() {} })));
	return cases.flatMap(({ name }, i) => (outcomes[i]?.status === 'rejected' ? [name] : []));
}

const never = (): Promise<never> => new Promise(() => {});

describe('a bus fails the cases that are meant for its defect, and no others, if it', () => {
	it('has none', async () => {
		expect(await failures(BrokenBus)).toEqual([]);
	});

	it('never reports an interruption', async () => {
		class Silent extends BrokenBus {
			protected override change(): Partial<BusHandlers> {
				return { interrupted() {} };
			}
		}
		expect(await failures(Silent)).toEqual([INTERRUPTED, REPORTED, BOTH]);
	});

	// The heartbeats of the providers find the loss all the same, unless the backend collects them.
	it('never reports an interruption, but has liveness', async () => {
		class Silent extends BrokenBus {
			protected override change(): Partial<BusHandlers> {
				return { interrupted() {} };
			}
		}
		expect(await failures(Silent, { liveness: true, beats: false })).toEqual([INTERRUPTED, TOLD]);
	});

	it('reports an interruption only from its end on', async () => {
		class TooLate extends BrokenBus {
			protected override change(handlers: BusHandlers): Partial<BusHandlers> {
				return { interrupted: (channels, _, reason) => handlers.interrupted(channels, Date.now(), reason) };
			}
		}
		expect(await failures(TooLate)).toEqual([INTERRUPTED, REPORTED, BOTH]);
	});

	it('reports an interruption when it begins', async () => {
		class TooEarly extends BrokenBus {
			protected override change(handlers: BusHandlers): Partial<BusHandlers> {
				return {
					interrupted() {},
					status(status) {
						if (status.state === 'degraded') handlers.interrupted('all', Date.now(), status.reason);
						handlers.status(status);
					},
				};
			}
		}
		expect(await failures(TooEarly)).toEqual([INTERRUPTED, REPORTED, BOTH]);
	});

	it('reports an interruption once promises that waited for its end have resolved', async () => {
		class Afterwards extends BrokenBus {
			protected override change(handlers: BusHandlers): Partial<BusHandlers> {
				return { interrupted: (...call) => void setImmediate(() => handlers.interrupted(...call)) };
			}
		}
		expect(await failures(Afterwards)).toEqual([IN_TIME]);
	});

	it('subscribes again to a hundred channels only', async () => {
		class Forgetful extends BrokenBus {
			protected override change(handlers: BusHandlers): Partial<BusHandlers> {
				return {
					interrupted: (channels, ...rest) => {
						void this.inner.unsubscribe(channels.slice(100) as string[]);
						handlers.interrupted(channels, ...rest);
					},
				};
			}
		}
		expect(await failures(Forgetful)).toEqual([EVERY_CHANNEL]);
	});

	it('leaves publish without an answer in an outage', async () => {
		class Unanswered extends BrokenBus {
			override publish(...call: Parameters<Bus['publish']>): Promise<number | undefined> {
				return this.isCut ? never() : super.publish(...call);
			}
		}
		expect(await failures(Unanswered)).toEqual([REJECTED, ONCE, REPORTED, BOTH]);
	});

	it('publishes what it has rejected when the backend is back', async () => {
		class Queueing extends BrokenBus {
			readonly #queue: Parameters<Bus['publish']>[] = [];

			override async publish(...call: Parameters<Bus['publish']>): Promise<number | undefined> {
				if (this.isCut) {
					this.#queue.push(call);
					throw new Error('queued');
				}
				for (const queued of this.#queue.splice(0)) super.publish(...queued).catch(() => {});
				return super.publish(...call);
			}
		}
		expect(await failures(Queueing)).toEqual([REJECTED]);
	});

	it('publishes again what it published before an outage', async () => {
		class Repeating extends BrokenBus {
			readonly #last: Parameters<Bus['publish']>[] = [];

			override async publish(...[channel, frame]: Parameters<Bus['publish']>): Promise<number | undefined> {
				const count = await super.publish(channel, frame);
				this.#last.splice(0, this.#last.length - 9, [channel, frame.slice()]);
				return count;
			}

			protected override change(handlers: BusHandlers): Partial<BusHandlers> {
				return {
					status: (status) => {
						if (status.state === 'ready') for (const call of this.#last) super.publish(...call).catch(() => {});
						handlers.status(status);
					},
				};
			}
		}
		expect(await failures(Repeating)).toEqual([ONCE, REPORTED, BOTH]);
	});

	it('leaves subscribe pending after an outage', async () => {
		class Hanging extends BrokenBus {
			override subscribe(channels: readonly string[]): Promise<void> {
				if (!this.isCut) return super.subscribe(channels);
				super.subscribe(channels).catch(() => {});
				return never();
			}
		}
		expect(await failures(Hanging)).toEqual([IN_TIME, PENDING, CALLS]);
	});

	it('rejects subscribe in an outage', async () => {
		class Rejecting extends BrokenBus {
			override async subscribe(channels: readonly string[]): Promise<void> {
				const subscribed = super.subscribe(channels);
				if (!this.isCut) return subscribed;
				subscribed.catch(() => {});
				throw new Error('unreachable');
			}
		}
		expect(await failures(Rejecting)).toEqual([PENDING]);
	});

	it('resolves subscribe in an outage', async () => {
		class Hasty extends BrokenBus {
			override async subscribe(channels: readonly string[]): Promise<void> {
				const subscribed = super.subscribe(channels);
				if (!this.isCut) return subscribed;
				subscribed.catch(() => {});
			}
		}
		expect(await failures(Hasty)).toEqual([PENDING]);
	});

	it('forgets unsubscribe calls of an outage', async () => {
		class Clinging extends BrokenBus {
			override async unsubscribe(channels: readonly string[]): Promise<void> {
				if (!this.isCut) await super.unsubscribe(channels);
			}
		}
		expect(await failures(Clinging)).toEqual([CALLS]);
	});

	it.each(['does not report an outage as its status', 'gives no reason for its status'])('%s', async (defect) => {
		class Poised extends BrokenBus {
			protected override change(handlers: BusHandlers): Partial<BusHandlers> {
				return {
					status(status) {
						if (status.state === 'ready') handlers.status(status);
						else if (defect.includes('reason')) handlers.status({ ...status, reason: '' });
					},
				};
			}
		}
		expect(await failures(Poised)).toEqual([STATUS]);
	});

	it('does not stop in an outage', async () => {
		class Unstoppable extends BrokenBus {
			override async stop(): Promise<void> {
				await (this.isCut ? never() : super.stop());
			}
		}
		expect(await failures(Unstoppable)).toEqual([STOP, START]);
	});

	it('goes on reconnecting after stop', async () => {
		class Restless extends BrokenBus {
			#handlers: BusHandlers | undefined;

			override start(handlers: BusHandlers): Promise<void> {
				this.#handlers = handlers;
				return super.start(handlers);
			}

			override async stop(): Promise<void> {
				await super.stop();
				if (this.isCut) setImmediate(() => this.#handlers?.status({ state: 'degraded', reason: 'connecting' }));
			}
		}
		expect(await failures(Restless)).toEqual([STOP]);
	});

	it('does not tell of an interruption', async () => {
		class Unaware extends BrokenBus {
			override readonly liveness: BusLiveness = {
				...(this.inner.liveness as BusLiveness),
				isInterrupted: () => false,
			};
		}
		expect(await failures(Unaware, { liveness: true })).toEqual([TOLD]);
	});

	it('does not replace a connection that heartbeats find dead', async () => {
		class Dead extends BrokenBus {
			override readonly liveness: BusLiveness = { ...(this.inner.liveness as BusLiveness), reconnect() {} };
		}
		expect(await failures(Dead, { liveness: true })).toEqual([HEARTBEATS, HEARTBEATS_COLLECTED]);
	});
});
