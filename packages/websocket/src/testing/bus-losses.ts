import { deepEqual } from 'node:assert/strict';
import { type CaseContext, SkippedCase } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { type ProviderNode, type SentMessage, TOPIC } from './provider-node.ts';
import { ProviderPair, type Way } from './provider-pair.ts';
import { until } from './waiting.ts';

const A_LINK = 'lets providers report every message that an outage costs';
const BOTH_LINKS = 'lets providers report every message that an outage of both their links costs';
const DEAD = 'has heartbeats that replace a dead connection, and lets providers report every message that it cost';
const COLLECTED = ', while it collects their beats';

/** The requirement that no message between two providers on the bus is lost silently. */
export const LOSSES: Requirements = {
	[A_LINK]: (context) => outage(context, startPair, ({ b }) => [b]),
	[BOTH_LINKS]: (context) => outage(context, startPair, ({ a, b }) => [a, b]),
	[DEAD]: (context) => deadConnection(context, startPair),
	[A_LINK + COLLECTED]: (context) => outage(context, startCollected, ({ b }) => [b]),
	[BOTH_LINKS + COLLECTED]: (context) => outage(context, startCollected, ({ a, b }) => [a, b]),
	[DEAD + COLLECTED]: (context) => deadConnection(context, startCollected),
};

type Start = (context: CaseContext) => Promise<ProviderPair>;

const startPair: Start = (context) => ProviderPair.start(context);

/** Starts providers whose beats the backend collects. */
const startCollected: Start = async (context) => {
	if ((await context.createBus()).liveness?.beats === undefined) throw new SkippedCase('the bus collects no beats');
	const pair = await ProviderPair.start(context, { collectBeatsAbove: 1 });
	await until(
		() => pair.a.nodeCount === 2 && pair.b.nodeCount === 2,
		context.timeoutMs,
		() => 'the two providers do not know each other',
	);
	return pair;
};

async function outage(
	context: CaseContext,
	start: Start,
	of: (pair: ProviderPair) => readonly ProviderNode[],
): Promise<void> {
	context.needs('cut', 'restore');
	const pair = await start(context);
	await pair.publishThroughout(() => pair.cut(...of(pair)));
	await mustBeReported(context, pair);
}

async function deadConnection(context: CaseContext, start: Start): Promise<void> {
	context.needs('freeze');
	if ((await context.createBus()).liveness === undefined) throw new SkippedCase('the bus has no liveness');
	const pair = await start(context);
	await pair.publishThroughout(() => context.freeze(pair.b.bus));
	await mustBeReported(context, pair);
}

/**
 * Asserts that each node reports a gap for every message of the other that it did not receive, and that it receives no
 * message twice.
 */
async function mustBeReported({ timeoutMs }: CaseContext, pair: ProviderPair): Promise<void> {
	for (const way of pair.ways) {
		await until(
			() => {
				way.to.flushGaps();
				return silentLosses(way).length === 0;
			},
			timeoutMs,
			() => describeLosses(way),
		);
		const numbers = way.to.receivedFrom(way.from.name);
		deepEqual(
			numbers,
			[...new Set(numbers)].toSorted((x, y) => x - y),
			'messages arrived twice or out of order',
		);
	}
}

/** Returns the messages of one node that the other has neither received nor covered by a gap. */
function silentLosses({ from, to }: Way): readonly SentMessage[] {
	const received = new Set(to.receivedFrom(from.name));
	const isReported = (at: number): boolean =>
		to.gaps.some(({ topic, since, until: end }) => topic === TOPIC && since <= at && at <= end);
	return from.sent.filter(({ number, at }) => !received.has(number) && !isReported(at));
}

function describeLosses({ from, to }: Way): string {
	const lost = silentLosses({ from, to });
	const gaps = to.gaps.map(({ topic, since, until: end }) => `${topic} ${since} to ${end}`).join(', ') || 'none';
	return (
		`${lost.length} of ${from.sent.length} messages of node ${from.name} neither arrived at node ${to.name} nor belong to a gap; ` +
		`they were published from ${lost[0]?.at} to ${lost.at(-1)?.at}; gaps: ${gaps}`
	);
}
