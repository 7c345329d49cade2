import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { decodeFrame, encodePresenceHeader, type Presence } from '../wire/frame.ts';
import { MemoryPresence, type MemoryPresenceOptions } from './memory-presence.ts';
import { type PresenceLease, type PresenceOp, type PresenceState, VERSION_KEPT_MS } from './presence-store.ts';

const LEASE: PresenceLease = { nodeId: 'aaaaaaaa-0000-4000-8000-000000000000', generation: 1 };
const OTHER: PresenceLease = { nodeId: 'bbbbbbbb-0000-4000-8000-000000000000', generation: 1 };
const LEASE_MS = 10_000;

const put = (key: string): PresenceOp => ({ kind: 'put', key, connections: 1, ageMs: 0, info: undefined });

interface Store {
	readonly store: MemoryPresence;
	/** What has been delivered so far. */
	readonly changes: { readonly topic: string; readonly change: Presence }[];
	apply(topic: string, ...ops: PresenceOp[]): Promise<PresenceState>;
}

/** Opens a store whose clock is that of `vi`. */
function open(options?: MemoryPresenceOptions): Store {
	vi.useFakeTimers({ toFake: ['Date'] });
	onTestFinished(() => void vi.useRealTimers());
	const changes: Store['changes'] = [];
	const header = encodePresenceHeader({ origin: 1, shard: 0, incarnation: 0 });
	const store = new MemoryPresence((topic, frame) => {
		changes.push({ topic, change: decodeFrame(frame, 1) as Presence });
	}, options);
	const apply: Store['apply'] = (topic, ...ops) =>
		store.apply(topic, { lease: LEASE, header, ops, membersUpTo: 1_000 });
	return { store, changes, apply };
}

/** Renews leases for a while. Returns what was handed out. */
async function renewFor(store: MemoryPresence, ms: number, ...leases: PresenceLease[]): Promise<PresenceLease[]> {
	const found: PresenceLease[] = [];
	for (let passed = 0; passed < ms; passed += 2_000) {
		vi.setSystemTime(Date.now() + 2_000);
		for (const lease of leases) {
			const { isKept, expired } = await store.renew(lease, LEASE_MS, false);
			expect(isKept).toBe(true);
			found.push(...expired);
		}
	}
	return found;
}

describe('presence in the memory of one process', () => {
	it('needs no lease', async () => {
		const { store, changes, apply } = open();
		await apply('t', put('k'));
		expect(changes).toMatchObject([
			{ topic: 't', change: { n: 1, count: 1, changes: [{ kind: 'joined', key: 'k' }] } },
		]);
		expect(await store.renew(LEASE, LEASE_MS, false)).toEqual({
			isKept: true,
			expired: [],
			released: [],
			now: Date.now(),
		});
		await store.release(LEASE, 0);
		await apply('t', put('l'));
		expect((await store.count('t')).count).toBe(2);
	});

	it('delivers a change before the call returns', () => {
		const { changes, apply } = open();
		void apply('t', put('k'));
		expect(changes).toHaveLength(1);
	});

	it('forgets a topic that has been empty for ten minutes', async () => {
		const { store, apply } = open();
		const first = await apply('old', put('k'));
		await apply('old', { kind: 'remove', key: 'k' });
		await apply('again', put('k'));
		await apply('again', { kind: 'remove', key: 'k' });
		vi.setSystemTime(Date.now() + VERSION_KEPT_MS - 1_000);
		await apply('again', put('k'));
		expect((await store.count('old')).version).toEqual({ epoch: first.version?.epoch, n: 2 });
		vi.setSystemTime(Date.now() + 2_000);
		expect(await store.count('old')).toEqual({ version: undefined, count: 0 });
		expect((await store.count('again')).version?.n).toBe(3);
		expect(store.size()).toEqual({ topics: 1 });
		expect((await apply('old', put('k'))).version?.epoch).not.toBe(first.version?.epoch);
	});

	it('keeps the versions of at most 10,000 topics without members, those that were left last', async () => {
		const { store, apply } = open();
		for (let i = 0; i <= 10_000; i++) {
			await apply(`t:${i}`, put('k'));
			await apply(`t:${i}`, { kind: 'remove', key: 'k' });
		}
		await apply('t', put('k'));
		expect(store.size()).toEqual({ topics: 10_001 });
		expect((await store.count('t:0')).version).toBeUndefined();
		expect((await store.count('t:1')).version?.n).toBe(2);
	});

	it('lets a record expire whose time can not be told because the clock was set back', async () => {
		const { store, apply } = open();
		await apply('t', put('k'));
		await apply('t', { kind: 'linger', key: 'k', ms: 5_000 });
		vi.setSystemTime(Date.now() + 1_000);
		expect((await apply('t', { kind: 'expire', key: 'k' })).count).toBe(1);
		vi.setSystemTime(Date.now() - 3_600_000);
		expect((await apply('t', { kind: 'expire', key: 'k' })).count).toBe(0);
		expect((await store.count('t')).version?.n).toBe(2);
	});

	it('pages through 10,000 members while others come', async () => {
		const { store, apply } = open();
		for (let at = 0; at < 10_000; at += 100) {
			await apply('t', ...Array.from({ length: 100 }, (_, i) => put(`user:${(at + i) * 2}`)));
		}
		const keys: string[] = [];
		let rounds = 0;
		for (let after: string | undefined, hasMore = true; hasMore; rounds++) {
			const page = await store.read('t', { after, limit: 100 });
			keys.push(...page.members.map(({ key }) => key));
			({ hasMore } = page);
			after = keys.at(-1);
			await apply('t', put(`new:${rounds}`));
		}
		expect([keys.length, new Set(keys).size]).toEqual([10_000, 10_000]);
	});
});

describe('leases in memory', () => {
	it('are handed out after they have expired, again after five seconds, and not after the backend was away', async () => {
		const { store } = open({ isShared: true });
		await store.renew(LEASE, LEASE_MS, true);
		await store.renew(OTHER, LEASE_MS, true);
		expect(await renewFor(store, 10_000, OTHER)).toEqual([LEASE]);
		expect(await renewFor(store, 4_000, OTHER)).toEqual([]);
		expect(await renewFor(store, 2_000, OTHER)).toEqual([LEASE]);
		vi.setSystemTime(Date.now() + 20_000);
		expect(await renewFor(store, 10_000, OTHER)).toEqual([]);
		expect(await renewFor(store, 4_000, OTHER)).toEqual([LEASE]);
	});

	it('are all of the same node, generation after generation', async () => {
		const { store } = open({ isShared: true });
		const next = { ...LEASE, generation: 2 };
		await store.renew(OTHER, LEASE_MS, true);
		await store.renew(LEASE, LEASE_MS, true);
		expect(await store.renew(next, LEASE_MS, true)).toEqual({
			isKept: true,
			expired: [],
			released: [],
			now: Date.now(),
		});
		expect(await renewFor(store, 30_000, OTHER, next)).toEqual([]);
		expect((await store.renew(LEASE, LEASE_MS, false)).isKept).toBe(false);
	});

	it('of a swept generation are never new again', async () => {
		const { store } = open({ isShared: true });
		await store.renew(LEASE, LEASE_MS, true);
		await store.renew(OTHER, LEASE_MS, true);
		await renewFor(store, 10_000, OTHER);
		const options = { header: new Uint8Array(16), membersUpTo: () => 0, topics: 1 };
		expect(await store.sweep(LEASE, options)).toEqual({ isDone: true, removed: 0 });
		expect((await store.renew(LEASE, LEASE_MS, true)).isKept).toBe(false);
		expect((await store.renew({ ...LEASE, generation: 2 }, LEASE_MS, true)).isKept).toBe(true);
	});

	it('that hold are not swept', async () => {
		const { store, apply } = open({ isShared: true });
		await store.renew(LEASE, LEASE_MS, true);
		await apply('t', put('k'));
		await store.sweep(LEASE, { header: new Uint8Array(16), membersUpTo: () => 0, topics: 1 });
		expect((await store.count('t')).count).toBe(1);
	});
});
