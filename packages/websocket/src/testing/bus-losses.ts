import { deepEqual } from 'node:assert/strict';
import { type CaseContext, SkippedCase } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { type SentMessage, TOPIC } from './provider-node.ts';
import { ProviderPair, type Way } from './provider-pair.ts';
import { until } from './waiting.ts';

/** The requirement that no message between two providers on the bus is lost silently. */
export const LOSSES: Requirements = {
	async 'lets providers report every message that an outage costs'(context) {
		context.needs('cut', 'restore');
		const pair = await ProviderPair.start(context);
		await pair.publishThroughout(() => pair.cut(pair.b));
		await mustBeReported(context, pair);
	},

	async 'lets providers report every message that an outage of both their links costs'(context) {
		context.needs('cut', 'restore');
		const pair = await ProviderPair.start(context);
		await pair.publishThroughout(() => pair.cut(pair.a, pair.b));
		await mustBeReported(context, pair);
	},

	async 'has heartbeats that replace a dead connection, and lets providers report every message that it cost'(context) {
		context.needs('freeze');
		if ((await context.createBus()).liveness === undefined) throw new SkippedCase('the bus has no liveness');
		const pair = await ProviderPair.start(context);
		await pair.publishThroughout(() => context.freeze(pair.b.bus));
		await mustBeReported(context, pair);
	},
};

/** Asserts that each node reports every message of the other that it did not get, and gets none twice. */
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

/** Returns the messages of one node that the other has neither received nor reported as a gap. */
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
		`${lost.length} of ${from.sent.length} messages of node ${from.name} are missing at node ${to.name} without a gap, ` +
		`published from ${lost[0]?.at} to ${lost.at(-1)?.at}; gaps: ${gaps}`
	);
}
