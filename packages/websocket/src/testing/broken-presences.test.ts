import { describe, expect, it } from 'vitest';
import type { Bus, BusHandlers } from '../bus.ts';
import { PresenceLeaseLostError } from '../presence/errors.ts';
import type {
	PresenceBatch,
	PresenceLease,
	PresenceOp,
	PresenceState,
	PresenceStore,
} from '../presence/presence-store.ts';
import { BrokenBus, brokenBackend } from '../test-support/broken-backend.ts';
import { presenceConformance } from './index.ts';

/** Some of the cases that see each change frame. */
const TOLD = [
	'steps of several nodes at once are all applied, one version each',
	'changes are exactly the differences between what can be read before and after them',
	'a node that begins to watch while others change a topic misses nothing',
	'the sweep of a large topic is told in frames of at most 100 changes',
];

/** A bus in front of another one, with something wrong in its presence. */
abstract class BrokenPresenceBus extends BrokenBus {
	override readonly presence: PresenceStore;
	readonly store: PresenceStore;

	constructor(inner: Bus) {
		super(inner);
		const store = inner.presence as PresenceStore;
		this.store = store;
		this.presence = {
			prepare: () => store.prepare(),
			apply: (...call) => this.apply(...call),
			read: (...call) => store.read(...call),
			count: (...call) => store.count(...call),
			renew: (...call) => store.renew(...call),
			sweep: (...call) => store.sweep(...call),
			release: (...call) => store.release(...call),
			onLost: (listener) => store.onLost(listener),
			...this.breakStore(store),
		};
	}

	/** Returns methods that replace those of the store. */
	protected breakStore(_store: PresenceStore): Partial<PresenceStore> {
		return {};
	}

	protected apply(topic: string, batch: PresenceBatch): Promise<PresenceState> {
		return this.store.apply(topic, { ...batch, ops: batch.ops.map((op) => this.breakOp(op)) });
	}

	protected breakOp(op: PresenceOp): PresenceOp {
		return op;
	}
}

/** Runs the suite and returns the names of the cases that fail. */
async function failures(broken: new (inner: Bus) => BrokenBus): Promise<string[]> {
	const cases = presenceConformance(() => brokenBackend(broken));
	const outcomes = await Promise.allSettled(cases.map(({ run }) => run({ skip() {} })));
	return cases.flatMap(({ name }, i) => (outcomes[i]?.status === 'rejected' ? [name] : []));
}

function perKind(change: (op: PresenceOp) => PresenceOp): new (inner: Bus) => BrokenBus {
	return class extends BrokenPresenceBus {
		protected override breakOp(op: PresenceOp): PresenceOp {
			return change(op);
		}
	};
}

function withStore(change: (store: PresenceStore) => Partial<PresenceStore>): new (inner: Bus) => BrokenBus {
	return class extends BrokenPresenceBus {
		protected override breakStore(store: PresenceStore): Partial<PresenceStore> {
			return change(store);
		}
	};
}

/** A bus that delivers each frame as often as `times` returns for its number. */
function delivering(times: (number: number) => number): new (inner: Bus) => BrokenBus {
	return class extends BrokenBus {
		#number = 0;

		protected override change(handlers: BusHandlers): Partial<BusHandlers> {
			return {
				deliver: (channel, frame) => {
					for (let left = times(++this.#number); left > 0; left--) handlers.deliver(channel, frame);
				},
			};
		}
	};
}

describe('a presence fails the cases that are meant for its defect, and no others, if it', () => {
	it('has none', async () => {
		expect(await failures(BrokenBus)).toEqual([]);
	});

	it('does not let records linger', async () => {
		const broken = perKind((op) => (op.kind === 'linger' ? { kind: 'remove', key: op.key } : op));
		expect(await failures(broken)).toEqual([
			'while the only record of a member lingers, nothing changes for others',
			'a put revives a lingering record of its node, which keeps its time',
			'a put of another node takes over from a record that lingers',
			'who moves to another node with other connections and info is updated, and does not join',
			'who moves from node to node and back is there since the beginning',
			'an earlier time of the node that takes over counts',
			'while another node has a live record, one that lingers does not count, and the last one to linger stays',
			'who lingers on one node stays when the live record of another is removed',
			'a record that lingers expires when its time has come, and not before',
			'lingering does not end by itself',
			'of members that linger and members that do not, each is treated by itself',
			'random steps of several nodes have the effects that they have in memory',
			'of a released lease, what lingers goes when its time has come, and the rest when the lease ends',
			'of a released lease with many topics, what is due goes although the rest has to wait',
			'members of a node that was released and whose lease was swept can come back with another node',
		]);
	});

	it('lets records expire before their time', async () => {
		const broken = perKind((op) => (op.kind === 'expire' ? { kind: 'remove', key: op.key } : op));
		expect(await failures(broken)).toEqual([
			'a put revives a lingering record of its node, which keeps its time',
			'a record that lingers expires when its time has come, and not before',
			'a live record does not expire, and a record that lingers can be removed',
			'of members that linger and members that do not, each is treated by itself',
			'random steps of several nodes have the effects that they have in memory',
		]);
	});

	it('ignores how long a member has been there', async () => {
		const broken = perKind((op) => (op.kind === 'put' ? { ...op, ageMs: 0 } : op));
		expect(await failures(broken)).toEqual([
			'a member is there since the earliest of its records, whose time does not change',
			'an earlier time of the node that takes over counts',
		]);
	});

	it('delivers a change twice', async () => {
		expect(await failures(delivering((number) => (number === 2 ? 2 : 1)))).toEqual(expect.arrayContaining(TOLD));
	});

	it('loses a change', async () => {
		expect(await failures(delivering((number) => (number === 3 ? 0 : 1)))).toEqual(expect.arrayContaining(TOLD));
	});

	it('names members however many there are', async () => {
		class Naming extends BrokenPresenceBus {
			protected override apply(topic: string, batch: PresenceBatch): Promise<PresenceState> {
				return super.apply(topic, { ...batch, membersUpTo: Infinity });
			}
		}
		expect(await failures(Naming)).toEqual([
			'with too many members, changes say only how many there are, until there are 10 % fewer',
			'where members are never named, changes say only how many there are',
			'random steps of several nodes have the effects that they have in memory',
		]);
	});

	it('sorts keys by their UTF-16', async () => {
		const broken = withStore((store) => ({
			async read(topic, { after = '', limit }) {
				const { members, ...all } = await store.read(topic, { limit: 10_000 });
				const following = members.filter(({ key }) => key > after).toSorted((a, b) => (a.key < b.key ? -1 : 1));
				return { ...all, members: following.slice(0, limit), hasMore: following.length > limit };
			},
		}));
		expect(await failures(broken)).toEqual([
			'pages hold every member once, in the order of the bytes of the keys, however large they are',
			'a page begins after a key, which need not be that of a member',
			'who stays while a reader pages is read once',
		]);
	});

	it('says that there is more whenever a page is full', async () => {
		const broken = withStore((store) => ({
			async read(topic, query) {
				const page = await store.read(topic, query);
				return { ...page, hasMore: page.members.length === query.limit };
			},
		}));
		expect(await failures(broken)).toEqual(['a page says whether there are more members, also if it is full']);
	});

	it('accepts what is put with any lease', async () => {
		class Unfenced extends BrokenPresenceBus {
			#generation = 1_000;

			protected override async apply(topic: string, batch: PresenceBatch): Promise<PresenceState> {
				try {
					return await super.apply(topic, batch);
				} catch (error) {
					if (!(error instanceof PresenceLeaseLostError)) throw error;
					const lease = { nodeId: batch.lease.nodeId, generation: this.#generation++ };
					await this.store.renew(lease, 60_000, true);
					return super.apply(topic, { ...batch, lease });
				}
			}
		}
		expect(await failures(Unfenced)).toEqual([
			'nothing is applied with a lease that the backend does not know',
			'what is put with a lease that has been swept is refused, and a later generation is not',
			'a node that comes late can put nothing, also where it had nothing before',
			'while a lease is swept in pieces, nothing is put with it where it was swept already',
			'what the backend has lost is put again in another epoch, under a later lease',
		]);
	});

	it('lets every lease hold', async () => {
		const broken = withStore((store) => ({
			async renew(...call) {
				return { ...(await store.renew(...call)), isKept: true };
			},
		}));
		expect(await failures(broken)).toEqual([
			'a lease that the backend does not know does not hold, unless it is new',
			'a later generation replaces a lease, and an earlier one does not hold any longer',
			'a lease that was handed out does not hold any longer, and a later generation of its node does',
			'after the backend has lost its data, no lease holds and a new one does',
			'a lease is forgotten once its sweep is done',
		]);
	});

	it('hands a lease out again and again', async () => {
		const broken = withStore((store) => {
			const found: PresenceLease[] = [];
			return {
				async renew(...call) {
					const renewal = await store.renew(...call);
					found.push(...renewal.expired);
					return { ...renewal, expired: found };
				},
			};
		});
		expect(await failures(broken)).toEqual([
			'a lease that has expired is handed out, to one node at a time',
			'a lease whose sweep is not done is handed out again, and then to one node',
			'a renewal hands out at most ten leases, and others the rest',
			'a lease is forgotten once its sweep is done',
		]);
	});

	it('says that a sweep is done before it is', async () => {
		const broken = withStore((store) => ({
			async sweep(...call) {
				return { ...(await store.sweep(...call)), isDone: true };
			},
		}));
		expect(await failures(broken)).toEqual([
			'a sweep looks at no more topics than it may, and says when it is done',
			'while a lease is swept in pieces, nothing is put with it where it was swept already',
			'two nodes that sweep at once remove everything once',
			'of a released lease with many topics, what is due goes although the rest has to wait',
		]);
	});

	it('sweeps all topics at once', async () => {
		const broken = withStore((store) => ({
			sweep: (lease, options) => store.sweep(lease, { ...options, topics: Infinity }),
		}));
		expect(await failures(broken)).toEqual(['a sweep looks at no more topics than it may, and says when it is done']);
	});

	it('leaves calls without an answer in an outage', async () => {
		class Unanswered extends BrokenPresenceBus {
			protected override apply(topic: string, batch: PresenceBatch): Promise<PresenceState> {
				return this.isCut ? new Promise(() => {}) : super.apply(topic, batch);
			}
		}
		expect(await failures(Unanswered)).toEqual(['calls reject in an outage, and nothing is applied later']);
	});

	it('repeats what an outage has interrupted', async () => {
		class Repeating extends BrokenPresenceBus {
			protected override async apply(topic: string, batch: PresenceBatch): Promise<PresenceState> {
				try {
					return await super.apply(topic, batch);
				} catch (error) {
					if (this.isCut) void this.#repeat(topic, batch);
					throw error;
				}
			}

			async #repeat(topic: string, batch: PresenceBatch): Promise<void> {
				while (this.isCut) await Bun.sleep(1);
				await super.apply(topic, batch);
			}
		}
		expect(await failures(Repeating)).toEqual(['calls reject in an outage, and nothing is applied later']);
	});
});
