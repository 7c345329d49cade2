import { addFinding } from './findings.ts';
import type { GapIndex } from './gap-index.ts';
import { type Channel, gapTopicOf, type Receiver, type Run, type Sent } from './run.ts';
import { countStream } from './stream.ts';
import type { Counts } from './counts.ts';

/** The messages of one node on one channel, and a client that had to receive them. */
export interface Stream {
	readonly run: Run;
	readonly gaps: GapIndex;
	readonly receiver: Receiver;
	/** The publisher's node. */
	readonly node: string;
	readonly channel: Channel;
	readonly sent: Sent;
}

export function countDeliveries(stream: Stream, counts: Counts): void {
	const { receiver, node, channel, sent } = stream;
	const { numbers, at } = receiver.streams.get(node)?.get(channel) ?? NOTHING;
	const { arrived, duplicates, inversions, strays } = countStream(sent.publishedAt.length, numbers);
	counts.duplicates += duplicates;
	counts.inversions += inversions;
	counts.strays += strays;

	const isLocal = receiver.node === node;
	const side = isLocal ? counts.local : counts.remote;
	const missing: number[] = [];
	sent.sentAt.forEach((sentAt, number) => {
		const isHere = arrived.has(number);
		if (isHere && !isLocal && sent.outcome[number] === 'rejected') counts.lateDeliveries++;
		if (sentAt < receiver.since || sentAt > (receiver.until ?? Infinity)) return;
		side.expected++;
		if (isHere) side.delivered++;
		else missing.push(number);
	});
	side.missing += missing.length;

	numbers.forEach((number, i) => {
		if (!isLocal && sent.outcome[number] !== 'accepted') return;
		const latency = Math.round((at[i] ?? 0) - (sent.sentAt[number] ?? 0));
		side.maxLatencyMs = Math.max(side.maxLatencyMs, latency);
	});
	if (!isLocal) countLosses(stream, missing, counts);
}

const NOTHING = { numbers: [], at: [] };

function countLosses(
	{ run, gaps, receiver, node, channel, sent }: Stream,
	missing: readonly number[],
	counts: Counts,
): void {
	const topic = gapTopicOf(channel);
	const publishedAt = (number: number): number => sent.publishedAt[number] ?? 0;
	const sentAt = (number: number): number => sent.sentAt[number] ?? 0;
	for (const number of missing) {
		counts.recoveryMs = Math.max(counts.recoveryMs, Math.round(sentAt(number) - run.back));
	}
	const silent = missing.filter((number) => !gaps.recordLoss(receiver.node, topic, publishedAt(number)));
	counts.remote.reported += missing.length - silent.length;
	const [first, last] = [silent.at(0), silent.at(-1)];
	if (first === undefined || last === undefined) return;
	const sinceFault = (time: number): string => `${Math.round(time - run.from)}`;
	const spans = gaps.of(receiver.node, topic).map(({ since, until }) => `${sinceFault(since)}..${sinceFault(until)}`);
	const skew = Math.round(publishedAt(first) - sentAt(first));
	const byOwnClock =
		skew === 0
			? ''
			: ` (by the clock of ${node}, ${sinceFault(publishedAt(first))} to ${sinceFault(publishedAt(last))})`;
	addFinding(
		counts.remote.silent,
		`${silent.length} from ${node} to ${receiver.name} on ${channel}, numbers ${first} (${sent.outcome[first]}) to ${last} ` +
			`(${sent.outcome[last]}), published ${sinceFault(sentAt(first))} to ${sinceFault(sentAt(last))} ms into the fault${byOwnClock}; ` +
			`gaps reported there: ${spans.join(', ') || 'none'}`,
		silent.length,
	);
}

/** Counts received messages that were not published, or not to this client. */
export function countStrayStreams({ publishers }: Run, receiver: Receiver, counts: Counts): void {
	for (const [node, channels] of receiver.streams) {
		const publisher = publishers.find((candidate) => candidate.node === node);
		for (const [channel, { numbers }] of channels) {
			const isExpected = publisher?.channels.has(channel) === true && receiver.channels.has(channel);
			if (!isExpected) counts.strays += numbers.length;
		}
	}
}
