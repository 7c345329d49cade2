import { countDeliveries, countStrayStreams } from './deliveries.ts';
import { type Findings, noFindings } from './findings.ts';
import { GapBook } from './gap-book.ts';
import { countGaps } from './gaps.ts';
import type { Run, Sent } from './run.ts';

/** Deliveries, not messages: a message counts once for each client that had to get it. */
export interface Deliveries {
	expected: number;
	delivered: number;
	missing: number;
}

/** A run, counted. */
export interface Verdict {
	/** Messages published, and what their promises said. */
	readonly sent: { total: number; rejected: number; pending: number };
	/** To clients of the publisher's own node. */
	readonly local: Deliveries & { maxLatencyMs: number };
	/**
	 * To clients of other nodes. `reported`: missing, inside a gap. `silent`: missing, outside every gap. The latency is that of
	 * messages that were accepted.
	 */
	readonly remote: Deliveries & { maxLatencyMs: number; reported: number; readonly silent: Findings };
	duplicates: number;
	inversions: number;
	/** Arrivals of what was never published, or not to that client. */
	strays: number;
	/** Deliveries to other nodes of messages whose publisher was told that they were not accepted. */
	lateDeliveries: number;
	readonly gaps: {
		events: number;
		/** The most events on one topic of one node. */
		mostPerTopic: number;
		/** How long before the fault the earliest one begins; 0 when none does. */
		earliestMs: number;
		/** Interrupted topics of a node without any event. */
		readonly unreported: Findings;
		/** Events that should not be, or not be so. */
		readonly wrong: Findings;
	};
	/** From `back` until the last message that another node did not get; 0 when there was none. */
	recoveryMs: number;
}

/** Counts a run. A pure function of what was recorded. */
export function judge(run: Run): Verdict {
	const verdict = emptyVerdict();
	const gaps = new GapBook(run.gaps);
	for (const { channels } of run.publishers) for (const sent of channels.values()) countSent(sent, verdict);
	for (const receiver of run.receivers) {
		countStrayStreams(run, receiver, verdict);
		for (const { node, channels } of run.publishers) {
			for (const [channel, sent] of channels) {
				if (receiver.channels.has(channel)) countDeliveries({ run, gaps, receiver, node, channel, sent }, verdict);
			}
		}
	}
	countGaps(run, gaps, verdict);
	return verdict;
}

function countSent({ outcome }: Sent, { sent }: Verdict): void {
	sent.total += outcome.length;
	for (const one of outcome) {
		if (one === 'rejected') sent.rejected++;
		if (one === 'pending') sent.pending++;
	}
}

function emptyVerdict(): Verdict {
	const none: Deliveries = { expected: 0, delivered: 0, missing: 0 };
	return {
		sent: { total: 0, rejected: 0, pending: 0 },
		local: { ...none, maxLatencyMs: 0 },
		remote: { ...none, maxLatencyMs: 0, reported: 0, silent: noFindings() },
		duplicates: 0,
		inversions: 0,
		strays: 0,
		lateDeliveries: 0,
		gaps: { events: 0, mostPerTopic: 0, earliestMs: 0, unreported: noFindings(), wrong: noFindings() },
		recoveryMs: 0,
	};
}
