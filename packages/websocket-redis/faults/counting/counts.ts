import { type Findings, noFindings } from './findings.ts';

/** Deliveries, not messages: a message counts once for each client that had to receive it. */
export interface Deliveries {
	expected: number;
	delivered: number;
	missing: number;
}

/** The counts of a run. */
export interface Counts {
	/** Messages published, by the outcome of their promises. */
	readonly sent: { total: number; rejected: number; pending: number };
	/** To clients of the publisher's own node. */
	readonly local: Deliveries & { maxLatencyMs: number };
	/**
	 * To clients of other nodes. `reported`: missing, inside a gap. `silent`: missing, outside all gaps. The latency is
	 * that of accepted messages.
	 */
	readonly remote: Deliveries & { maxLatencyMs: number; reported: number; readonly silent: Findings };
	duplicates: number;
	inversions: number;
	/** Messages received that were never published, or not to that client. */
	strays: number;
	/** Deliveries to other nodes of messages whose publish was rejected. */
	lateDeliveries: number;
	readonly gaps: {
		events: number;
		/** The most events on one topic of one node. */
		mostPerTopic: number;
		/** How long before the fault the earliest one begins; 0 if all begin later. */
		earliestMs: number;
		/** Interrupted topics of a node without an event. */
		readonly unreported: Findings;
		/** False alarms, and events with a wrong time span. */
		readonly wrong: Findings;
	};
	/**
	 * Time from `back` (when the fault ended) to the last message any other node missed, in milliseconds; 0 if none was
	 * missed.
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
