import { deepEqual, equal, ok } from 'node:assert/strict';
import type { PresenceLease, Sweep } from '../presence/presence-store.ts';
import type { Requirements } from './conformance.ts';
import { assertLeadTo, assertLeaseLost, summary } from './presence-assertions.ts';
import { handedOut, keepRenewing, LEASE_MS, startShort, untilHandedOut } from './presence-lease-steps.ts';
import { PresenceNode, put } from './presence-node.ts';
import { attemptUntil } from './waiting.ts';

/** The requirements for sweeps, which remove what nodes have left behind. */
export const SWEEPS: Requirements = {
	async 'a sweep removes the records of the lease in all topics, and no others'(context) {
		const [a, b] = await startShort(context, 2, 't', 'u');
		await a!.apply('t', put('alone', { info: '{}' }), put('shared', { connections: 2 }));
		await a!.put('u', 'alone');
		await b!.apply('t', put('shared', { connections: 3 }), put('other'));
		await untilHandedOut(context, a!.lease, b!);
		deepEqual(await sweepAll(b!, a!.lease), { calls: 1, removed: 3 });
		deepEqual(await b!.keys('t'), ['other', 'shared']);
		deepEqual((await b!.member('t', 'shared')).nodes, [b!.lease]);
		deepEqual((await b!.presence.count('u')).count, 0);
		const changes = await b!.untilChanges('t', 3);
		deepEqual(summary(changes[2]!), ['left alone 1', 'updated shared 3']);
		deepEqual(changes[2]?.origin, b!.sender.origin);
		assertLeadTo(changes, await b!.read('t'));
		assertLeadTo(await b!.untilChanges('u', 2), await b!.read('u'));
	},

	async 'a lease is forgotten once its sweep is done'(context) {
		const [a, b] = await startShort(context, 2);
		await a!.put('t', 'k');
		await untilHandedOut(context, a!.lease, b!);
		await sweepAll(b!, a!.lease);
		equal((await a!.renew(LEASE_MS)).isKept, false);
		deepEqual(await b!.sweep(a!.lease), { isDone: true, removed: 0 });
		if (context.has('moveClock')) await context.moveClock(10_000);
		deepEqual(await handedOut([b!], 2 * LEASE_MS), []);
	},

	async 'a lease without records is swept at once'(context) {
		const [a, b] = await startShort(context, 2);
		await a!.put('t', 'k');
		await a!.remove('t', 'k');
		await untilHandedOut(context, a!.lease, b!);
		deepEqual(await sweepAll(b!, a!.lease), { calls: 1, removed: 0 });
	},

	async 'a sweep looks at no more topics than it may, and says when it is done'(context) {
		const [a, b] = await startShort(context, 2);
		const topics = Array.from({ length: 10 }, (_, i) => `topic:${i}`);
		await Promise.all(topics.map((topic) => a!.apply(topic, put('k'), put('l'))));
		await untilHandedOut(context, a!.lease, b!);
		let removed = 0;
		for (let isDone = false, calls = 0; !isDone; calls++) {
			ok(calls < 20, 'the sweep is not done');
			const swept = await b!.sweep(a!.lease, 3);
			ok(swept.removed <= 6, `${swept.removed} records of 3 topics were removed`);
			removed += swept.removed;
			({ isDone } = swept);
			if (isDone) equal(removed, 20, 'it said that it was done before it was');
		}
		for (const topic of topics) equal((await b!.presence.count(topic)).count, 0);
	},

	async 'what is put with a lease that has been swept is refused, and a later generation is not'(context) {
		const [a, b] = await startShort(context, 2, 't');
		await a!.apply('t', put('k'), put('l'));
		await b!.put('t', 'stays');
		await untilHandedOut(context, a!.lease, b!);
		await sweepAll(b!, a!.lease);
		await assertLeaseLost(a!.put('t', 'k'));
		await assertLeaseLost(a!.apply('t', put('new'), { kind: 'remove', key: 'l' }));
		deepEqual(await b!.keys('t'), ['stays']);
		await a!.beginNext(LEASE_MS);
		await a!.put('t', 'k');
		assertLeadTo(await b!.untilChanges('t', 4), await b!.read('t'));
	},

	async 'a node that comes late can put nothing, also where it had nothing before'(context) {
		const [a, b] = await startShort(context, 2);
		await a!.put('t', 'k');
		await untilHandedOut(context, a!.lease, b!);
		await sweepAll(b!, a!.lease);
		const topics = Array.from({ length: 8 }, (_, i) => `elsewhere:${i}`);
		for (const topic of topics) await assertLeaseLost(a!.put(topic, 'k'));
		for (const topic of topics) equal((await b!.presence.count(topic)).count, 0);
	},

	async 'while a lease is swept in pieces, nothing is put with it where it was swept already'(context) {
		const [a, b] = await startShort(context, 2);
		const topics = Array.from({ length: 8 }, (_, i) => `topic:${i}`);
		await Promise.all(topics.map((topic) => a!.put(topic, 'k')));
		await untilHandedOut(context, a!.lease, b!);
		for (let isDone = false; !isDone;) {
			const counts = await Promise.all(topics.map((topic) => b!.presence.count(topic)));
			const swept = topics.filter((_, i) => counts[i]?.count === 0);
			for (const topic of swept) await assertLeaseLost(a!.put(topic, 'late'));
			({ isDone } = await b!.sweep(a!.lease, 2));
		}
		for (const topic of topics) equal((await b!.presence.count(topic)).count, 0);
	},

	async 'what a node that came back has put again stays, and its new lease as well'(context) {
		const [a, b] = await startShort(context, 2, 't');
		const swept = a!.lease;
		await a!.apply('t', put('again', { ageMs: 9_000, info: '{}' }), put('gone'));
		await a!.apply('u', put('gone'));
		const before = await b!.member('t', 'again');
		await untilHandedOut(context, swept, b!);
		await a!.beginNext(LEASE_MS);
		await a!.put('t', 'again', { info: '{}' });
		await a!.put('v', 'new');
		deepEqual((await sweepAll(b!, swept)).removed, 2);
		deepEqual(await b!.keys('t'), ['again']);
		deepEqual(await b!.member('t', 'again'), { ...before, nodes: [a!.lease] });
		deepEqual(await b!.keys('v'), ['new']);
		equal((await a!.renew(LEASE_MS)).isKept, true);
		deepEqual((await b!.untilChanges('t', 2)).map(summary), [['joined again 1', 'joined gone 1'], ['left gone 1']]);
	},

	async 'a sweep removes records of earlier generations as well'(context) {
		const [a, b] = await startShort(context, 2, 't');
		await a!.apply('t', put('earlier'));
		await a!.beginNext(LEASE_MS);
		await a!.apply('t', put('later'));
		await untilHandedOut(context, a!.lease, b!);
		deepEqual((await sweepAll(b!, a!.lease)).removed, 2);
		const read = await b!.read('t');
		equal(read.count, 0);
		assertLeadTo(await b!.untilChanges('t', read.version?.n ?? 0), read);
	},

	async 'two nodes that sweep at once remove everything once'(context) {
		const [a, b, c] = await startShort(context, 3, 't');
		const topics = ['t', ...Array.from({ length: 20 }, (_, i) => `topic:${i}`)];
		await Promise.all(topics.map((topic) => a!.apply(topic, put('k'), put('l'))));
		await untilHandedOut(context, a!.lease, b!, c!);
		const sweeps = await Promise.all([sweepAll(b!, a!.lease, 2), sweepAll(c!, a!.lease, 2)]);
		equal(sweeps[0].removed + sweeps[1].removed, 2 * topics.length);
		for (const topic of topics) equal((await b!.presence.count(topic)).count, 0);
		const read = await b!.read('t');
		for (const node of [b!, c!]) assertLeadTo(await node.untilChanges('t', read.version?.n ?? 0), read);
	},

	async 'the sweep of a large topic is told in frames of at most 100 changes'(context) {
		const [a, b] = await startShort(context, 2, 't');
		const keys = Array.from({ length: 250 }, (_, i) => `user:${i}`);
		await a!.putMany('t', keys);
		await b!.put('t', 'user:0');
		await untilHandedOut(context, a!.lease, b!);
		deepEqual((await sweepAll(b!, a!.lease)).removed, 250);
		const read = await b!.read('t');
		deepEqual([read.count, read.members[0]?.nodes], [1, [b!.lease]]);
		const changes = await b!.untilChanges('t', read.version?.n ?? 0);
		ok(changes.every((change) => (change.changes?.length ?? 0) <= 100));
		assertLeadTo(changes, read);
	},

	async 'a sweep names no members where there are too many'(context) {
		const [a, b] = await startShort(context, 2, 't');
		a!.membersUpTo = 0;
		b!.membersUpTo = 0;
		await a!.put('t', 'k');
		await untilHandedOut(context, a!.lease, b!);
		await sweepAll(b!, a!.lease);
		const [, left] = await b!.untilChanges('t', 2);
		deepEqual([left?.n, left?.count, left?.changes], [2, 0, undefined]);
	},

	async 'of a released lease, what lingers goes when its time has come, and the rest when the lease ends'(context) {
		const [a, b] = await startShort(context, 2, 't');
		const begin = performance.now();
		await a!.apply('t', put('short'), put('long'), put('live'), put('moves'));
		await a!.apply(
			't',
			{ kind: 'linger', key: 'short', ms: 300 },
			{ kind: 'linger', key: 'long', ms: 60_000 },
			{ kind: 'linger', key: 'moves', ms: 300 },
		);
		await b!.put('t', 'moves');
		await a!.presence.release(a!.lease, 1_200);
		await untilHandedOut(context, a!.lease, b!);
		deepEqual(await b!.keys('t'), ['live', 'long', 'moves', 'short']);
		const gone: { readonly key: string; readonly atMs: number }[] = [];
		await attemptUntil(
			async () => {
				const before = await b!.keys('t');
				await b!.sweep(a!.lease);
				const after = await b!.keys('t');
				const atMs = performance.now() - begin;
				gone.push(...before.filter((key) => !after.includes(key)).map((key) => ({ key, atMs })));
			},
			() => gone.length === 3,
			context.timeoutMs,
			() => `only ${JSON.stringify(gone)} are gone`,
		);
		deepEqual(
			gone.map(({ key }) => key),
			['short', 'live', 'long'],
		);
		ok(gone[0]!.atMs > 300 - 60, `what lingers for 300 ms is gone after ${gone[0]!.atMs} ms`);
		ok(gone[1]!.atMs > 1_200 - 60, `a lease that ends after 1,200 ms has ended after ${gone[1]!.atMs} ms`);
		deepEqual(await b!.keys('t'), ['moves']);
		equal((await b!.sweep(a!.lease)).isDone, true);
	},

	async 'of a released lease with many topics, what is due goes although the rest has to wait'(context) {
		const [a, b] = await startShort(context, 2);
		const due = ['topic:4', 'topic:9'];
		const topics = Array.from({ length: 10 }, (_, i) => `topic:${i}`);
		for (const topic of topics) {
			await a!.put(topic, 'k');
			await a!.linger(topic, 'k', due.includes(topic) ? 100 : 60_000);
		}
		await a!.presence.release(a!.lease, 60_000);
		await untilHandedOut(context, a!.lease, b!);
		let removed = 0;
		await attemptUntil(
			async () => {
				const swept = await b!.sweep(a!.lease, 2);
				equal(swept.isDone, false);
				removed += swept.removed;
			},
			() => removed >= 2,
			context.timeoutMs,
			() => `${removed} of 2 records were removed`,
		);
		const counts = await Promise.all(topics.map(async (topic) => (await b!.presence.count(topic)).count));
		deepEqual(
			topics.filter((_, i) => counts[i] === 0),
			due,
		);
	},

	async 'members of a node that was released and whose lease was swept can come back with another node'(context) {
		const [a, b] = await startShort(context, 2, 't');
		await a!.put('t', 'k', { ageMs: 9_000 });
		const { since } = await b!.member('t', 'k');
		await a!.linger('t', 'k', 60_000);
		await a!.presence.release(a!.lease, 60_000);
		await b!.put('t', 'k');
		await keepRenewing(context, [b!], ({ expired }) => expired.length > 0);
		deepEqual(await sweepAll(b!, a!.lease), { calls: 1, removed: 0 });
		equal((await b!.member('t', 'k')).since, since);
		await b!.untilChanges('t', 1);
	},
};

/** Sweeps a lease until that is done. */
async function sweepAll(
	node: PresenceNode,
	lease: PresenceLease,
	topics?: number,
): Promise<{ readonly calls: number; readonly removed: number }> {
	let removed = 0;
	for (let calls = 1; calls <= 50; calls++) {
		const swept: Sweep = await node.sweep(lease, topics);
		removed += swept.removed;
		if (swept.isDone) return { calls, removed };
	}
	throw new Error('the sweep of a lease is not done after 50 calls');
}
