import { until } from '@orijs/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Turns } from '../support/turns.ts';
import { decodeFrame, encodePresenceHeader } from '../wire/frame.ts';
import { MemoryPresence } from './memory-presence.ts';
import type { OwnMember, OwnMembersView } from './own-members-contract.ts';
import type { PresenceChange, WatchedMembers } from './presence-contract.ts';
import type { PresenceLease, PresenceOp, PresenceStore } from './presence-store.ts';
import { TopicReplica } from './topic-replica.ts';

const TOPIC = 'room:a';
/** A store of another node, and a replica of a topic that follows it. */
class Following {
	readonly store: MemoryPresence;
	readonly replica: TopicReplica;
	readonly changes: PresenceChange[] = [];
	#first: WatchedMembers | undefined;
	/** Called between the pages of a read. */
	betweenPages: () => void = () => {};
	isLossy = false;
	/** The members of the replica's node. */
	readonly own: Map<string, OwnMember> = new Map();

	readonly #membersUpTo: number;

	constructor(membersUpTo: number) {
		this.#membersUpTo = membersUpTo;
		this.store = new MemoryPresence((_, frame) => this.#deliver(frame));
		const rule = { leaveDelayMs: 0, events: 'members', membersUpTo } as const;
		const context = {
			nodeId: crypto.randomUUID(),
			store: this.#slow(),
			own: this.#own(),
			clock: { aheadMs: 0 },
			turns: new Turns(1),
			isReady: () => true,
			subscribe: () => Promise.resolve(),
			onSkipped: () => {},
			onError: () => {},
		};
		this.replica = new TopicReplica(TOPIC, rule, context, (change) => {
			if (change !== undefined) this.changes.push(change);
		});
	}

	#own(): OwnMembersView {
		const { own } = this;
		return { of: () => own.values(), get: (_, key) => own.get(key), settled: () => Promise.resolve() };
	}

	/** Returns the store, with pages that take their time. */
	#slow(): PresenceStore {
		const { store } = this;
		return {
			prepare: () => store.prepare(),
			apply: (...call) => store.apply(...call),
			count: (topic) => store.count(topic),
			renew: (...call) => store.renew(...call),
			sweep: (...call) => store.sweep(...call),
			release: (...call) => store.release(...call),
			onLost: () => store.onLost(),
			read: async (...call) => {
				const page = await store.read(...call);
				this.betweenPages();
				await new Promise((resolve) => setImmediate(resolve));
				return page;
			},
		};
	}

	#deliver(bytes: Buffer): void {
		const frame = decodeFrame(bytes, 0);
		if (this.isLossy || typeof frame !== 'object' || frame.type !== 'presence') return;
		// Later than the answer to a read that the change came before.
		setImmediate(() => setImmediate(() => this.replica.received(frame, false)));
	}

	async start(): Promise<void> {
		this.replica.start();
		await this.replica.known;
		this.#first = this.replica.page(undefined, 10_000);
	}

	/** @param lease of the node whose records change */
	apply(ops: readonly PresenceOp[], lease: PresenceLease = LEASE): void {
		const header = encodePresenceHeader({ origin: 1, shard: 0, incarnation: 0 });
		for (let at = 0; at < ops.length; at += 100) {
			const batch = { lease, header, ops: ops.slice(at, at + 100), membersUpTo: this.#membersUpTo };
			void this.store.apply(TOPIC, batch);
		}
	}

	/** Returns the keys that someone knows who has started from the first page, and has heard all changes. */
	heard(): Set<string> | undefined {
		const { version, areMembersKnown, members } = this.#first as WatchedMembers;
		let keys = areMembersKnown ? new Set(members.map(({ key }) => key)) : undefined;
		for (const change of this.changes) {
			if (change.version.epoch === version.epoch && change.version.n <= version.n) continue;
			if (!change.areMembersKnown) keys = undefined;
			else keys ??= new Set();
			for (const { key } of change.joined) {
				expect(keys?.has(key), `${key} joined twice`).toBe(false);
				keys?.add(key);
			}
			for (const { key } of change.left) expect(keys?.delete(key), `${key} left twice`).toBe(true);
		}
		return keys;
	}

	async stored(): Promise<string[]> {
		const keys: string[] = [];
		for (let hasMore = true; hasMore;) {
			const page = await this.store.read(TOPIC, { after: keys.at(-1), limit: 1_000 });
			keys.push(...page.members.map(({ key }) => key));
			hasMore = page.hasMore;
		}
		return keys;
	}
}

const LEASE = { nodeId: crypto.randomUUID(), generation: 1 };

function put(number: number): PresenceOp {
	return { kind: 'put', key: `user:${number}`, connections: 1, ageMs: 0, info: undefined };
}

function remove(number: number): PresenceOp {
	return { kind: 'remove', key: `user:${number}` };
}

function upTo(count: number): number[] {
	return Array.from({ length: count }, (_, i) => i);
}

it('what changes between the pages of a read is neither missed nor told twice', async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.tuple(fc.nat({ max: 2_600 }), fc.boolean()), { minLength: 1, maxLength: 50 }),
			fc.boolean(),
			async (steps, isLostMidway) => {
				const following = new Following(10_000);
				following.apply(upTo(2_500).map(put));
				const left = [...steps];
				following.betweenPages = () => {
					for (const [number, isPut] of left.splice(0, 10)) following.apply([isPut ? put(number) : remove(number)]);
				};
				await following.start();
				if (isLostMidway) {
					following.isLossy = true;
					following.apply([put(3_000)]);
					following.isLossy = false;
				}
				for (const [number, isPut] of left) following.apply([isPut ? put(number) : remove(number)]);
				following.apply([put(3_001)]);
				const stored = await following.stored();
				await until(() => Bun.deepEquals(following.heard(), new Set(stored)), {
					what: () => `${stored.length} members are known, not ${following.heard()?.size}`,
				});
				expect(following.replica.count).toBe(stored.length);
				following.replica.close();
			},
		),
		{ numRuns: 30, endOnFailure: true },
	);
});

it('many changes during a read make it begin again', async () => {
	const following = new Following(10_000);
	following.apply([put(0)]);
	let isFirst = true;
	following.betweenPages = () => {
		if (isFirst) for (const number of upTo(1_500)) following.apply([put(number)]);
		isFirst = false;
	};
	await following.start();
	await until(() => following.heard()?.size === 1_500, { what: 'all are known' });
	following.replica.close();
});

it('members that the backend has lost stay until their nodes have had time to put them back', async () => {
	const following = new Following(1_000);
	following.apply(upTo(5).map(put));
	await following.start();
	following.store.clear();
	following.apply([put(0), put(1), put(7)]);
	await until(() => following.heard()?.has('user:7') === true, { what: 'the new one is known' });
	expect(following.heard()?.size).toBe(6);
	following.apply([remove(0)]);
	await until(() => following.heard()?.has('user:0') === false, {
		what: 'one that was put back has left',
		timeoutMs: 7_000,
	});
	expect(following.heard()?.size).toBe(5);
	// All nodes have had the time: who is put back only now can leave at once.
	following.apply([put(2)]);
	following.apply([remove(2)]);
	await until(() => following.heard()?.has('user:2') === false, { what: 'it has left', timeoutMs: 2_000 });
	expect(following.heard()?.size).toBe(4);
	await until(() => following.heard()?.size === 2, { what: 'those that were not put back leave', timeoutMs: 12_000 });
	expect(following.heard()).toEqual(new Set(['user:1', 'user:7']));
	following.replica.close();
}, 20_000);

describe('a member of several nodes that the backend has lost stays', () => {
	const OTHER = { nodeId: crypto.randomUUID(), generation: 1 };

	it('if this node puts it back first, and it leaves this node', async () => {
		const following = new Following(1_000);
		const own = { key: 'user:0', userId: '0', connections: 0, info: undefined, sinceAt: performance.now() };
		following.own.set(own.key, own);
		following.apply([put(0)]);
		following.apply([put(0), put(1)], OTHER);
		await following.start();
		following.store.clear();
		following.apply([put(0), put(4)]);
		await until(() => following.heard()?.has('user:4') === true, { what: 'the loss is known' });
		following.own.clear();
		following.replica.ownChanged('user:0');
		following.apply([remove(0)]);
		following.apply([put(2)]);
		await until(() => following.heard()?.has('user:2') === true, { what: 'what came after it is known' });
		following.apply([put(0), put(1)], OTHER);
		following.apply([put(3)]);
		await until(() => following.heard()?.has('user:3') === true, { what: 'what came after it is known' });
		expect(following.changes.flatMap(({ left }) => left)).toEqual([]);
		following.apply([remove(0)], OTHER);
		await until(() => following.heard()?.has('user:0') === false, { what: 'it leaves at last', timeoutMs: 7_000 });
		following.replica.close();
	}, 20_000);

	it('if it leaves this node before anyone has put it back', async () => {
		const following = new Following(1_000);
		const own = { key: 'user:0', userId: '0', connections: 0, info: undefined, sinceAt: performance.now() };
		following.own.set(own.key, own);
		following.apply([put(0)]);
		following.apply([put(0)], OTHER);
		await following.start();
		following.store.clear();
		following.apply([put(2)]);
		await until(() => following.heard()?.has('user:2') === true, { what: 'the loss is known' });
		following.own.clear();
		following.replica.ownChanged('user:0');
		await following.replica.told();
		following.apply([put(0)], OTHER);
		following.apply([put(3)]);
		await until(() => following.heard()?.has('user:3') === true, { what: 'what came after it is known' });
		expect(following.changes.flatMap(({ left }) => left)).toEqual([]);
		following.replica.close();
	});
});
