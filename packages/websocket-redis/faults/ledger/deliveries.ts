import { find } from './findings.ts';
import type { GapBook } from './gap-book.ts';
import { type Channel, gapTopicOf, type Receiver, type Run, type Sent } from './run.ts';
import { countStream } from './stream.ts';
import type { Verdict } from './verdict.ts';

/** What one node published on one channel, and one client that had to get it. */
export interface Stream {
	readonly run: Run;
	readonly gaps: GapBook;
	readonly receiver: Receiver;
	/** The publisher's. */
	readonly node: string;
	readonly channel: Channel;
	readonly sent: Sent;
}

export function countDeliveries(stream: Stream, verdict: Verdict): void {
	const { receiver, node, channel, sent } = stream;
	const { numbers, at } = receiver.streams.get(node)?.get(channel) ?? NOTHING;
	const { arrived, duplicates, inversions, strays } = countStream(sent.publishedAt.length, numbers);
	verdict.duplicates += duplicates;
	verdict.inversions += inversions;
	verdict.strays += strays;

	const isLocal = receiver.node === node;
	const side = isLocal ? verdict.local : verdict.remote;
	const missing: number[] = [];
	sent.publishedAt.forEach((publishedAt, number) => {
		const isHere = arrived.has(number);
		if (isHere && !isLocal && sent.outcome[number] === 'rejected') verdict.lateDeliveries++;
		if (publishedAt < receiver.since) return;
		side.expected++;
		if (isHere) side.delivered++;
		else missing.push(number);
	});
	side.missing += missing.length;

	numbers.forEach((number, i) => {
		if (!isLocal && sent.outcome[number] !== 'accepted') return;
		const latency = (at[i] ?? 0) - (sent.publishedAt[number] ?? 0);
		side.maxLatencyMs = Math.max(side.maxLatencyMs, latency);
	});
	if (!isLocal) countLosses(stream, missing, verdict);
}

const NOTHING = { numbers: [], at: [] };

function countLosses(
	{ run, gaps, receiver, node, channel, sent }: Stream,
	missing: readonly number[],
	verdict: Verdict,
): void {
	const topic = gapTopicOf(channel);
	const publishedAt = (number: number): number => sent.publishedAt[number] ?? 0;
	for (const number of missing) verdict.recoveryMs = Math.max(verdict.recoveryMs, publishedAt(number) - run.back);
	const silent = missing.filter((number) => !gaps.noteLoss(receiver.node, topic, publishedAt(number)));
	verdict.remote.reported += missing.length - silent.length;
	const [first, last] = [silent.at(0), silent.at(-1)];
	if (first === undefined || last === undefined) return;
	const into = (time: number): string => `${time - run.from}`;
	const spans = gaps.of(receiver.node, topic).map(({ since, until }) => `${into(since)}..${into(until)}`);
	find(
		verdict.remote.silent,
		`${silent.length} from ${node} to ${receiver.name} on ${channel}, numbers ${first} (${sent.outcome[first]}) to ${last} ` +
			`(${sent.outcome[last]}), published ${into(publishedAt(first))} to ${into(publishedAt(last))} ms into the fault; ` +
			`gaps reported there: ${spans.join(', ') || 'none'}`,
		silent.length,
	);
}

/** Streams nobody published, or that were not for this client. */
export function countStrayStreams({ publishers }: Run, receiver: Receiver, verdict: Verdict): void {
	for (const [node, channels] of receiver.streams) {
		const publisher = publishers.find((candidate) => candidate.node === node);
		for (const [channel, { numbers }] of channels) {
			const isMeant = publisher?.channels.has(channel) === true && receiver.channels.has(channel);
			if (!isMeant) verdict.strays += numbers.length;
		}
	}
}
