import { type Findings, noFindings } from './findings.ts';

/** Counts deliveries, not messages: a message counts once for each client that had to receive it. */
export interface Deliveries {
	expected: number;
	delivered: number;
	missing: number;
}

/** The counts of a run. */
export interface Counts {
	/** Messages published, by the outcome of their promises. */
	readonly sent: { total: number; rejected: number; pending: number };
	/** Deliveries to clients of the publisher's own node. */
	readonly local: Deliveries & { maxLatencyMs: number };
	/**
	 * Deliveries to clients of other nodes. Missing ones are `reported` if they lie inside a gap, and otherwise
	 * `silent`. The latency is that of accepted messages.
	 */
	readonly remote: Deliveries & { maxLatencyMs: number; reported: number; readonly silent: Findings };
	duplicates: number;
	inversions: number;
	/** Received messages that were never published, or not to that client. */
	strays: number;
	/** Deliveries to other nodes of messages whose `publish` rejected. */
	lateDeliveries: number;
	readonly gaps: {
		events: number;
		/** The highest number of events on one topic of one node. */
		mostPerTopic: number;
		/** How long before the fault the earliest gap begins; 0 if all begin later. */
		earliestMs: number;
		/** Interrupted topics of a node for which it reported no event. */
		readonly unreported: Findings;
		/** False alarms, and events with a wrong time span. */
		readonly wrong: Findings;
	};
	/**
	 * The time from `back` (when the fault ended) to the last message that a client of another node missed, in
	 * milliseconds; 0 if no message was missed after `back`.
	 */
	recoveryMs: number;
}

export function emptyCounts(): Counts {
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
