import { TimeoutError, until } from '@orijs/testkit';
import type { Channel } from '../counting/run.ts';
import type { Deployment } from './deployment.ts';
import type { FaultNode } from './node.ts';

const PATIENCE_MS = 15_000;
const ROUND_TIMEOUT_MS = 2_000;
/**
 * How long to wait for late duplicates and gap events, in milliseconds; gap events are held back for up to 1,250 ms.
 */
const STRAGGLERS_MS = 2_000;

/** Resolves when every client receives messages from every publisher on all its channels. */
export async function warmUp(deployment: Deployment): Promise<void> {
	await notReady(deployment, PATIENCE_MS);
	await until(async () => (await missingAfter(deployment, ROUND_TIMEOUT_MS)) === undefined, {
		what: 'every client receives from every publisher',
		timeoutMs: PATIENCE_MS,
	});
}

/**
 * Call this when the nodes have stopped publishing. Waits until all nodes are ready, and one more message from every
 * publisher has arrived on every channel; these messages count like all others. If that takes too long, returns the
 * reason as a sentence.
 */
export async function settle(deployment: Deployment): Promise<string | undefined> {
	const deadline = performance.now() + PATIENCE_MS;
	let missing: string | undefined;
	do {
		missing = await notReady(deployment, deadline - performance.now());
		missing ??= await missingAfter(deployment, ROUND_TIMEOUT_MS);
	} while (missing !== undefined && performance.now() < deadline);
	// The nodes wait, and not this process: a node that gets too little of the processor reports its gaps as late as it
	// ends this wait. Otherwise, a loss that it is about to report would count as silent.
	await Promise.all(deployment.running.map((node) => node.ask({ do: 'wait', forMs: STRAGGLERS_MS })));
	return missing;
}

/** Waits until all nodes are ready. If that takes too long, returns their status as a sentence. */
export async function notReady(deployment: Deployment, timeoutMs: number = PATIENCE_MS): Promise<string | undefined> {
	let status: string[] = [];
	const ready = await becomesTrue(timeoutMs, async () => {
		status = await Promise.all(deployment.running.map((node) => node.ask<string>({ do: 'status' })));
		return status.every((one) => one === 'ready');
	});
	return ready ? undefined : `the nodes are ${status.join(' and ')}`;
}

async function missingAfter(deployment: Deployment, timeoutMs: number): Promise<string | undefined> {
	const rounds = await Promise.all(
		deployment.running.map(async (node) => ({ node, numbers: await node.ask<Map<Channel, number>>({ do: 'round' }) })),
	);
	const pending = pendingArrivals(deployment, rounds);
	const all = await becomesTrue(timeoutMs, () => {
		for (let next = pending.at(-1); next?.(); next = pending.at(-1)) pending.pop();
		return pending.length === 0;
	});
	return all ? undefined : `${pending.length} of the last messages did not arrive`;
}

/** Returns, for each message and each client that must receive it, a function that checks whether it has arrived. */
function pendingArrivals(
	{ receivers }: Deployment,
	rounds: readonly { readonly node: FaultNode; readonly numbers: ReadonlyMap<Channel, number> }[],
): (() => boolean)[] {
	return rounds.flatMap(({ node, numbers }) =>
		[...numbers].flatMap(([channel, number]) =>
			receivers
				.filter(({ channels, until }) => until === undefined && channels.has(channel))
				.map((receiver) => () => receiver.hasReceived(node.name, channel, number)),
		),
	);
}

/** Returns whether the condition becomes true in time. */
async function becomesTrue(timeoutMs: number, condition: () => boolean | Promise<boolean>): Promise<boolean> {
	try {
		await until(condition, { what: '', timeoutMs: Math.max(1, timeoutMs) });
		return true;
	} catch (error) {
		if (error instanceof TimeoutError) return false;
		throw error;
	}
}
