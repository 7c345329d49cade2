import { deepEqual } from 'node:assert/strict';
import type { PresenceLease, Renewal } from '../presence/presence-store.ts';
import type { CaseContext } from './case-context.ts';
import { PresenceNode } from './presence-node.ts';
import { attemptUntil } from './waiting.ts';

/** A lease that soon ends if it is not renewed, in milliseconds. */
export const LEASE_MS = 400;

/** Starts nodes with such a lease. */
export async function startShort(context: CaseContext, count: number, ...topics: string[]): Promise<PresenceNode[]> {
	const nodes = await Promise.all(Array.from({ length: count }, () => PresenceNode.start(context, ...topics)));
	await Promise.all(nodes.map((node) => node.begin(LEASE_MS)));
	return nodes;
}

/** Renews the leases of nodes, again and again, until `isEnough` returns true. */
export async function keepRenewing(
	context: CaseContext,
	nodes: readonly PresenceNode[],
	isEnough: (renewal: Renewal) => boolean,
): Promise<void> {
	let isOver = false;
	await attemptUntil(
		async () => {
			for (const renewal of await Promise.all(nodes.map((node) => node.renew(LEASE_MS)))) {
				if (isEnough(renewal)) isOver = true;
			}
		},
		() => isOver,
		context.timeoutMs,
		() => 'the renewals do not hand out what they should',
	);
}

/** Renews the leases of nodes until one of them has been handed a lease to be swept. */
export async function untilHandedOut(
	context: CaseContext,
	lease: PresenceLease,
	...nodes: readonly PresenceNode[]
): Promise<void> {
	const found: PresenceLease[] = [];
	await keepRenewing(context, nodes, (renewal) => found.push(...renewal.expired) > 0);
	deepEqual(found, [lease]);
}

/** Renews the leases of nodes for a while. Returns what was handed out to them. */
export async function handedOut(nodes: readonly PresenceNode[], forMs: number): Promise<PresenceLease[]> {
	const found: PresenceLease[] = [];
	for (const end = performance.now() + forMs; performance.now() < end;) {
		for (const renewal of await Promise.all(nodes.map((node) => node.renew(LEASE_MS)))) found.push(...renewal.expired);
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	return found;
}

/** Renews a node's lease once. Returns what was handed out to it. */
export async function expired(node: PresenceNode): Promise<readonly PresenceLease[]> {
	return (await node.renew(LEASE_MS)).expired;
}

/** Returns a renewal without the time. */
export function outcomeOf({ isKept, expired, released }: Renewal): Omit<Renewal, 'now'> {
	return { isKept, expired, released };
}
