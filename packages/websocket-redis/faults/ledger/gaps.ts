import { find } from './findings.ts';
import type { GapBook } from './gap-book.ts';
import { type Gap, gapTopicOf, type Receiver, type Run } from './run.ts';
import type { Verdict } from './verdict.ts';

/** To be called when all losses are noted in the book. */
export function countGaps(run: Run, book: GapBook, { gaps }: Verdict): void {
	gaps.events = run.gaps.length;
	gaps.mostPerTopic = book.most;
	const topicsOf = topicsByNode(run.receivers);
	for (const gap of run.gaps) {
		gaps.earliestMs = Math.max(gaps.earliestMs, run.from - gap.since);
		const isKnown = topicsOf.get(gap.node)?.has(gap.topic) === true;
		const fault = isKnown ? faultOf(gap, run, book) : 'is on a topic nobody there is in';
		if (fault !== undefined) find(gaps.wrong, `that of ${gap.node} on ${gap.topic} (${gap.reason}) ${fault}`);
	}
	for (const [node, topics] of topicsOf) {
		for (const topic of topics) {
			const isDue = run.exposure(node, topic) === 'interrupted';
			if (isDue && book.of(node, topic).length === 0) find(gaps.unreported, `${topic} on ${node}`);
		}
	}
}

function faultOf({ node, topic, since, until, reportedAt }: Gap, run: Run, book: GapBook): string | undefined {
	if (!(since <= until && until <= reportedAt)) return 'is no span of the past';
	if (since < run.from - run.slackBefore) return `begins ${run.from - since} ms before the fault`;
	if (until > run.back + run.slackAfter) return `ends ${until - run.back} ms after all was back`;
	const exposure = run.exposure(node, topic);
	if (exposure === 'whole' && book.hasLost(node, topic)) return 'tells of a loss where nothing could be lost';
	const isFalse = exposure === 'whole' || (exposure === 'untouched' && !book.hasLost(node, topic));
	return isFalse ? 'is a false alarm: nothing there was touched' : undefined;
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
