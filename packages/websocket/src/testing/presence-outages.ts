import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';
import { APPLIED_WITHIN_MS } from '../presence/presence-store.ts';
import type { CaseContext } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { assertLeadTo, assertLeaseLost } from './presence-assertions.ts';
import { LONG_LEASE_MS, PresenceNode } from './presence-node.ts';
import { attemptUntil, settled } from './waiting.ts';

/** The requirements for outages, in which the link of one node is cut and later restored, and for lost data. */
export const OUTAGES: Requirements = {
	async 'calls reject in an outage, and nothing is applied later'(context) {
		const [a, b] = await startPair(context);
		await context.cut(b.bus);
		const calls = {
			apply: () => b.put('t', 'lost'),
			read: () => b.presence.read('t', { limit: 1 }),
			count: () => b.presence.count('t'),
			renew: () => b.renew(LONG_LEASE_MS),
			sweep: () => b.sweep(a.lease),
			release: () => b.presence.release(b.lease, 0),
		};
		for (const [name, call] of Object.entries(calls)) {
			const outcome = await settled(context, `${name}() in an outage`, call());
			ok(outcome instanceof Error, `${name}() must reject with an Error while the backend is unreachable`);
		}
		await context.restore(b.bus);
		await untilApplied(context, b);
		deepEqual(await a.keys('t'), ['probe']);
		equal((await b.renew(LONG_LEASE_MS)).isKept, true, 'the lease was not released');
	},

	async 'of the steps that an outage interrupts, those that resolve are applied, and none twice or late'(context) {
		const [a, b] = await startPair(context);
		const steps = Array.from({ length: 100 }, (_, i) => b.put('t', `k${i}`));
		const outcomes = steps.map((step) => settled(context, 'apply() before an outage', step));
		await steps[0];
		await context.cut(b.bus);
		const resolved = (await Promise.all(outcomes)).flatMap((outcome, i) => (outcome === undefined ? [`k${i}`] : []));
		await new Promise((resolve) => setTimeout(resolve, APPLIED_WITHIN_MS));
		const present = await a.read('t');
		const keys = present.members.map(({ key }) => key);
		deepEqual(
			resolved.filter((key) => !keys.includes(key)),
			[],
			'apply() resolved, but the member is not there',
		);
		await context.restore(b.bus);
		await untilApplied(context, b);
		const after = await a.read('t');
		deepEqual(
			after.members.map(({ key }) => key).filter((key) => key !== 'probe'),
			keys,
			'steps were applied late',
		);
		assertLeadTo(await a.untilChanges('t', after.version?.n ?? 0), after);
	},

	async 'a lease outlives an outage of its node that is shorter'(context) {
		const [a, b] = await startPair(context);
		await b.put('t', 'k');
		await context.cut(b.bus);
		deepEqual(await a.keys('t'), ['k']);
		await context.restore(b.bus);
		await untilApplied(context, b);
		equal((await b.renew(LONG_LEASE_MS)).isKept, true);
		deepEqual(await a.keys('t'), ['k', 'probe']);
	},

	async 'what the backend has lost is put again in another epoch, under a later lease'(context) {
		context.needs('losePresence');
		const [a, b] = await PresenceNode.startLeased(context, 2, 't');
		const before = await a!.put('t', 'k');
		await context.losePresence();
		deepEqual((await b!.read('t')).members, []);
		await assertLeaseLost(a!.put('t', 'k'));
		await a!.beginNext(LONG_LEASE_MS);
		const after = await a!.put('t', 'k');
		notEqual(after.version?.epoch, before.version?.epoch);
		deepEqual([after.version?.n, after.count], [1, 1]);
		const [, change] = await b!.untilChanges('t', 2);
		assertLeadTo([change!], await b!.read('t'));
	},
};

async function startPair(context: CaseContext): Promise<[PresenceNode, PresenceNode]> {
	context.needs('cut', 'restore');
	const [a, b] = await PresenceNode.startLeased(context, 2, 't');
	return [a!, b!];
}

/** Resolves once a node can put members again. */
async function untilApplied({ timeoutMs }: CaseContext, node: PresenceNode): Promise<void> {
	let isApplied = false;
	let lastError: unknown;
	await attemptUntil(
		() =>
			// Topics and leases may be on different servers.
			Promise.all([node.put('t', 'probe'), node.renew(LONG_LEASE_MS)]).then(
				() => (isApplied = true),
				(error: unknown) => (lastError = error),
			),
		() => isApplied,
		timeoutMs,
		() => `apply() or renew() still rejects after the outage: ${String(lastError)}`,
	);
}
