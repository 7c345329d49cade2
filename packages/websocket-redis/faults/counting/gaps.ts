import { addFinding } from './findings.ts';
import type { GapIndex } from './gap-index.ts';
import { type Gap, gapTopicOf, type Receiver, type Run } from './run.ts';
import type { Counts } from './counts.ts';

/** By how much a node's clock may seem ahead because times are whole milliseconds. */
const ROUNDING_MS = 2;

/** Checks the gap events, once all losses are recorded in the index. */
export function countGaps(run: Run, index: GapIndex, { gaps }: Counts): void {
	gaps.events = run.gaps.length;
	gaps.mostPerTopic = index.most;
	const topicsOf = topicsByNode(run.receivers);
	for (const gap of run.gaps) {
		gaps.earliestMs = Math.max(gaps.earliestMs, Math.round(run.from - gap.since));
		const isKnown = topicsOf.get(gap.node)?.has(gap.topic) === true;
		const problem = isKnown ? problemOf(gap, run, index) : 'is on a topic without subscribers on that node';
		if (problem !== undefined)
			addFinding(gaps.wrong, `the gap of ${gap.node} on ${gap.topic} (${gap.reason}) ${problem}`);
	}
	for (const [node, topics] of topicsOf) {
		for (const topic of topics) {
			const isDue = run.impact(node, topic) === 'interrupted';
			if (isDue && index.of(node, topic).length === 0) addFinding(gaps.unreported, `${topic} on ${node}`);
		}
	}
}

function problemOf({ node, topic, since, until, reportedAt }: Gap, run: Run, index: GapIndex): string | undefined {
	const { behindMs, aheadMs } = run.clocks;
	if (!(since <= until && until <= reportedAt + aheadMs + ROUNDING_MS)) return 'is not a time span in the past';
	if (since < run.from - run.slackBefore - behindMs)
		return `begins ${Math.round(run.from - since)} ms before the fault`;
	if (until > run.back + run.slackAfter + aheadMs) return `ends ${Math.round(until - run.back)} ms after the repair`;
	const impact = run.impact(node, topic);
	if (impact === 'lossless' && index.hasLost(node, topic)) return 'reports a loss on a topic that must lose nothing';
	const isFalse = impact === 'lossless' || (impact === 'unaffected' && !index.hasLost(node, topic));
	return isFalse ? 'is a false alarm: the topic was not affected' : undefined;
}

function topicsByNode(receivers: readonly Receiver[]): Map<string, Set<string>> {
	const topicsOf = new Map<string, Set<string>>();
	for (const { node, channels } of receivers) {
		const topics = topicsOf.get(node) ?? new Set<string>();
		topicsOf.set(node, topics);
		for (const channel of channels) topics.add(gapTopicOf(channel));
	}
	return topicsOf;
}
