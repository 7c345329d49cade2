import { type Counts, emptyCounts } from './counts.ts';
import { countDeliveries, countStrayStreams } from './deliveries.ts';
import { GapIndex } from './gap-index.ts';
import { countGaps } from './gaps.ts';
import type { Run, Sent } from './run.ts';

/** Counts the messages and gaps in the record of a run. A pure function. */
export function countRun(run: Run): Counts {
	const counts = emptyCounts();
	const gaps = new GapIndex(run.gaps);
	for (const { channels } of run.publishers) for (const sent of channels.values()) countSent(sent, counts);
	for (const receiver of run.receivers) {
		countStrayStreams(run, receiver, counts);
		for (const { node, channels } of run.publishers) {
			for (const [channel, sent] of channels) {
				if (receiver.channels.has(channel)) countDeliveries({ run, gaps, receiver, node, channel, sent }, counts);
			}
		}
	}
	countGaps(run, gaps, counts);
	return counts;
}

function countSent({ outcome }: Sent, { sent }: Counts): void {
	sent.total += outcome.length;
	for (const each of outcome) {
		if (each === 'rejected') sent.rejected++;
		if (each === 'pending') sent.pending++;
	}
}
