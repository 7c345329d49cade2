import { deepEqual, equal, ok } from 'node:assert/strict';
import {
	CLAIMED_MS,
	type PresenceLease,
	RELEASED_QUIET_MS,
	type Renewal,
	type StoredMember,
} from '../presence/presence-store.ts';
import { sleep } from '../support/promises.ts';
import type { CaseContext } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import {
	expired,
	handedOut,
	keepRenewing,
	LEASE_MS,
	outcomeOf,
	startShort,
	untilHandedOut,
} from './presence-lease-steps.ts';
import { PresenceNode } from './presence-node.ts';
import { attemptUntil } from './waiting.ts';

/** The requirements for leases: how long they hold, and to whom they are handed out to be swept. */
export const LEASES: Requirements = {
	async 'a lease holds from its first renewal, and for as long as it is renewed'(context) {
		const [a] = await startShort(context, 1);
		const begin = performance.now();
		while (performance.now() - begin < 2 * LEASE_MS) {
			deepEqual(outcomeOf(await a!.renew(LEASE_MS)), { isKept: true, expired: [], released: [] });
			await sleep(20);
		}
		deepEqual(
			outcomeOf(await a!.presence.renew(a!.lease, LEASE_MS, true)),
			{ isKept: true, expired: [], released: [] },
			'asked twice',
		);
	},

	async 'a lease that the backend does not know does not hold, unless it is new'(context) {
		const node = await PresenceNode.start(context);
		equal((await node.renew(LEASE_MS)).isKept, false);
		equal((await node.renew(LEASE_MS)).isKept, false);
		await node.begin(LEASE_MS);
		equal((await node.renew(LEASE_MS)).isKept, true);
	},

	async 'a later generation replaces a lease, and an earlier one does not hold any longer'(context) {
		const [a] = await startShort(context, 1);
		const earlier = a!.lease;
		await a!.beginNext(LEASE_MS);
		equal((await a!.presence.renew(earlier, LEASE_MS, false)).isKept, false);
		equal((await a!.presence.renew(earlier, LEASE_MS, true)).isKept, false);
		equal((await a!.renew(LEASE_MS)).isKept, true);
	},

	async 'a renewal tells the time at the backend'(context) {
		const [a] = await startShort(context, 1);
		const begin = performance.now();
		const first = await a!.renew(LEASE_MS);
		await sleep(200);
		const passed = (await a!.renew(LEASE_MS)).now - first.now;
		ok(passed > 200 - 60, `the time has gone on by ${passed} ms in 200 ms`);
		ok(passed < performance.now() - begin + 60, `the time has gone on by ${passed} ms`);
		// Records have times of the same clock.
		await a!.put('t', 'k');
		const [{ since }] = (await a!.presence.read('t', { limit: 1 })).members as [StoredMember];
		ok(Math.abs(since - first.now) < context.timeoutMs, `a member is there since ${since}, not ${first.now}`);
	},

	async 'a lease that has expired is handed out, to one node at a time'(context) {
		const [a, b, c] = await startShort(context, 3);
		const begin = performance.now();
		const found: PresenceLease[] = [];
		while (found.length === 0) {
			for (const renewal of await Promise.all([b!.renew(LEASE_MS), c!.renew(LEASE_MS)])) {
				equal(renewal.isKept, true);
				found.push(...renewal.expired);
			}
			ok(performance.now() - begin < context.timeoutMs, 'the lease is not handed out');
			await sleep(20);
		}
		ok(performance.now() - begin > LEASE_MS - 60, 'the lease was handed out before it had expired');
		deepEqual(found, [a!.lease]);
		deepEqual(await handedOut([b!, c!], 2 * LEASE_MS), [], 'it was handed out again');
	},

	async 'a lease whose sweep is not done is handed out again, and then to one node'(context) {
		const [a, b, c] = await startShort(context, 3);
		await a!.put('t', 'k');
		await untilHandedOut(context, a!.lease, b!, c!);
		const begin = performance.now();
		if (context.has('moveClock')) await context.moveClock(CLAIMED_MS + 100);
		const waitMs = CLAIMED_MS + context.timeoutMs;
		const found: PresenceLease[] = [];
		while (found.length === 0 && performance.now() - begin < waitMs) found.push(...(await handedOut([b!, c!], 50)));
		deepEqual(found, [a!.lease]);
		const waited = performance.now() - begin;
		ok(context.has('moveClock') || waited > CLAIMED_MS - 100, `it was handed out again after ${waited} ms`);
		deepEqual(await handedOut([b!, c!], LEASE_MS), []);
	},

	async 'a lease that was handed out does not hold any longer, and a later generation of its node does'(context) {
		const [a, b] = await startShort(context, 2);
		await untilHandedOut(context, a!.lease, b!);
		equal((await a!.renew(LEASE_MS)).isKept, false);
		equal((await a!.presence.renew(a!.lease, LEASE_MS, true)).isKept, false, 'it is not new');
		await a!.beginNext(LEASE_MS);
		equal((await a!.renew(LEASE_MS)).isKept, true);
	},

	async 'no lease is handed out after a time in which none was renewed, and all hold'(context) {
		const nodes = await startShort(context, 3);
		await sleep(2 * LEASE_MS);
		const renewals = await Promise.all(nodes.map((node) => node.renew(LEASE_MS)));
		deepEqual(
			renewals.map(outcomeOf),
			nodes.map(() => ({ isKept: true, expired: [], released: [] })),
		);
	},

	async 'after such a time, a lease that is not renewed is handed out once the others had time to renew theirs'(
		context,
	) {
		const [a, b, c] = await startShort(context, 3);
		await sleep(2 * LEASE_MS);
		const begin = performance.now();
		await b!.renew(LEASE_MS);
		await untilHandedOut(context, a!.lease, b!, c!);
		ok(performance.now() - begin > LEASE_MS - 60, 'it was handed out before that');
	},

	async 'after such a time, a lease that was released is handed out before the time of a lease has passed'(context) {
		const leaseMs = 2 * RELEASED_QUIET_MS;
		const [a, b, c] = await startShort(context, 3);
		await a!.put('t', 'k');
		await a!.linger('t', 'k', 100);
		await a!.presence.release(a!.lease, 0);
		if (context.has('moveClock')) await context.moveClock(leaseMs);
		else await sleep(leaseMs);
		const begin = performance.now();
		const found: Renewal[] = [];
		await attemptUntil(
			async () => found.push(await b!.renew(leaseMs)),
			() => (found.at(-1)?.expired.length ?? 0) > 0,
			context.timeoutMs + RELEASED_QUIET_MS,
			() => 'the lease is not handed out',
		);
		const waited = performance.now() - begin;
		ok(waited > RELEASED_QUIET_MS - 60, `it was handed out after ${waited} ms, before others could put what they have`);
		ok(waited < leaseMs - 60, `it was handed out after ${waited} ms`);
		deepEqual(found.map(outcomeOf).at(-1), { isKept: true, expired: [a!.lease], released: [a!.lease] });
		equal((await b!.sweep(a!.lease)).isDone, true);
		equal((await b!.presence.count('t')).count, 0);
		deepEqual((await c!.renew(leaseMs)).expired, [], 'it was handed out again');
	},

	async 'a renewal hands out at most ten leases, and others the rest'(context) {
		const gone = await startShort(context, 15);
		const [b] = await startShort(context, 1);
		const found: PresenceLease[] = [];
		await keepRenewing(context, [b!], (renewal) => {
			ok(renewal.expired.length <= 10, `${renewal.expired.length} leases were handed out at once`);
			found.push(...renewal.expired);
			return found.length >= 15;
		});
		const ids = (leases: readonly PresenceLease[]): string[] => leases.map(({ nodeId }) => nodeId).toSorted();
		deepEqual(ids(found), ids(gone.map(({ lease }) => lease)));
	},

	async 'after the clock of the backend was set back, leases hold, and expire in time'(context) {
		context.needs('moveClock');
		const [a, b] = await startShort(context, 2);
		await context.moveClock(-3_600_000);
		for (const node of [a!, b!])
			deepEqual(outcomeOf(await node.renew(LEASE_MS)), { isKept: true, expired: [], released: [] });
		await untilHandedOut(context, a!.lease, b!);
	},

	async 'after the clock of the backend was set forward, leases hold'(context) {
		context.needs('moveClock');
		const [a, b] = await startShort(context, 2);
		await context.moveClock(3_600_000);
		for (const node of [a!, b!])
			deepEqual(outcomeOf(await node.renew(LEASE_MS)), { isKept: true, expired: [], released: [] });
		await untilHandedOut(context, a!.lease, b!);
	},

	async 'after the backend has lost its data, no lease holds and a new one does'(context) {
		await loses(context, async ([a, b]) => {
			equal((await a.renew(LEASE_MS)).isKept, false);
			await a.beginNext(LEASE_MS);
			deepEqual(await expired(a), []);
			equal((await b.renew(LEASE_MS)).isKept, false);
		});
	},
};

async function loses(
	context: CaseContext,
	then: (nodes: [PresenceNode, PresenceNode]) => Promise<void>,
): Promise<void> {
	context.needs('losePresence');
	const [a, b] = await startShort(context, 2);
	await context.losePresence();
	await then([a!, b!]);
}
