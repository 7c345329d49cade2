import { TimeoutError, until } from '@orijs/testkit';
import type { Channel } from '../ledger/run.ts';
import type { FaultNode, World } from './world.ts';

const PATIENCE_MS = 15_000;
const ROUND_TIMEOUT_MS = 2_000;
/** What comes by itself, late, has come by then: a second copy, a gap event, which may be held back for 1,250 ms. */
const STRAGGLERS_MS = 2_000;

/** Resolves when every client hears every publisher on every channel it has to. */
export async function warmUp(world: World): Promise<void> {
	await notReady(world, PATIENCE_MS);
	await until(async () => (await silentAfter(world, ROUND_TIMEOUT_MS)) === undefined, {
		what: 'everybody hears everybody',
		timeoutMs: PATIENCE_MS,
	});
}

/**
 * After the load has stopped: waits until all nodes say that they are ready and a last message of every publisher has arrived on
 * every channel. Returns what is still missing then, as a sentence, or undefined. The last messages count like all others.
 */
export async function settle(world: World): Promise<string | undefined> {
	const deadline = performance.now() + PATIENCE_MS;
	let missing: string | undefined;
	do {
		missing = await notReady(world, deadline - performance.now());
		missing ??= await silentAfter(world, ROUND_TIMEOUT_MS);
	} while (missing !== undefined && performance.now() < deadline);
	await Bun.sleep(STRAGGLERS_MS);
	return missing;
}

/** Waits until all nodes say that they are ready. Returns what they say when they don't, as a sentence, or undefined. */
export async function notReady(world: World, timeoutMs: number = PATIENCE_MS): Promise<string | undefined> {
	let status: string[] = [];
	const ready = await within(timeoutMs, async () => {
		status = await Promise.all(world.nodes.map((node) => node.ask<string>({ do: 'status' })));
		return status.every((one) => one === 'ready');
	});
	return ready ? undefined : `the nodes are ${status.join(' and ')}`;
}

async function silentAfter(world: World, timeoutMs: number): Promise<string | undefined> {
	const rounds = await Promise.all(
		world.nodes.map(async (node) => ({ node, numbers: await node.ask<Map<Channel, number>>({ do: 'round' }) })),
	);
	const silent = awaited(world, rounds);
	const all = await within(timeoutMs, () => {
		for (let next = silent.at(-1); next?.(); next = silent.at(-1)) silent.pop();
		return silent.length === 0;
	});
	return all ? undefined : `${silent.length} of the last messages did not arrive`;
}

/** For each message that has to arrive somewhere, the question whether it has. */
function awaited(
	{ receivers }: World,
	rounds: readonly { readonly node: FaultNode; readonly numbers: ReadonlyMap<Channel, number> }[],
): (() => boolean)[] {
	return rounds.flatMap(({ node, numbers }) =>
		[...numbers].flatMap(([channel, number]) =>
			receivers
				.filter(({ channels }) => channels.has(channel))
				.map((receiver) => () => receiver.hasHeard(node.name, channel, number)),
		),
	);
}

async function within(timeoutMs: number, condition: () => boolean | Promise<boolean>): Promise<boolean> {
	try {
		await until(condition, { what: '', timeoutMs: Math.max(1, timeoutMs) });
		return true;
	} catch (error) {
		if (error instanceof TimeoutError) return false;
		throw error;
	}
}
