import type { Counts } from '../counting/counts.ts';

/** A row of the table. */
export interface FaultRow {
	readonly fault: string;
	/** The numbers, in the order of `COLUMNS`. */
	readonly cells: readonly number[];
	readonly kept: boolean;
}

declare module 'vitest' {
	interface TaskMeta {
		faultRow?: FaultRow;
	}
}

const COLUMNS: readonly (readonly [string, (counts: Counts) => number])[] = [
	['sent', ({ sent }) => sent.total],
	['delivered locally', ({ local }) => local.delivered],
	['delivered remotely', ({ remote }) => remote.delivered],
	['missing', ({ remote, local }) => remote.missing + local.missing],
	['reported', ({ remote }) => remote.reported],
	['duplicates', ({ duplicates }) => duplicates],
	['inversions', ({ inversions }) => inversions],
	['gap events', ({ gaps }) => gaps.events],
	['recovery ms', ({ recoveryMs }) => recoveryMs],
	['slowest local ms', ({ local }) => local.maxLatencyMs],
	['slowest remote ms', ({ remote }) => remote.maxLatencyMs],
	['rejected, yet delivered', ({ lateDeliveries }) => lateDeliveries],
];

export const HEADINGS: readonly string[] = ['fault', ...COLUMNS.map(([heading]) => heading), 'guarantees'];

export function rowOf(fault: string, counts: Counts, kept: boolean): FaultRow {
	return { fault, cells: COLUMNS.map(([, count]) => count(counts)), kept };
}
