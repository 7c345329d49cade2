import { describeDamage, type Fault } from '../schedule/fault.ts';

/** What was broken when; true times in milliseconds. */
export interface LoggedFault {
	readonly fault: Fault;
	readonly from: number;
	/** Infinity while it is not repaired. */
	until: number;
}

/** A fault concerns messages of some time before and after it, in milliseconds. */
const BEFORE_MS = 2_000;
const AFTER_MS = 4_000;

/** Describes what was broken around this time. @param startAt when the run began */
export function faultsAround(log: readonly LoggedFault[], at: number, startAt: number): string[] {
	return log
		.filter(({ from, until }) => from - BEFORE_MS <= at && at <= until + AFTER_MS)
		.map(({ fault, from, until }) => `${span(from - startAt, until - startAt)} ${describeDamage(fault)}`);
}

/** Describes a span of time, in seconds since the start. */
export function span(sinceMs: number, untilMs: number): string {
	return untilMs - sinceMs < 1 ? seconds(sinceMs) : `${seconds(sinceMs)} to ${seconds(untilMs)}`;
}

/** Describes a time, in seconds since the start. */
export function seconds(ms: number): string {
	return (ms / 1_000).toFixed(3);
}
