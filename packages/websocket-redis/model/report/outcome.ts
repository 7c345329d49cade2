import { count } from '../ledger/count.ts';
import type { RunRecord } from '../ledger/run-record.ts';
import type { Rest } from '../deployment/settle.ts';
import { type LoggedFault, seconds } from './fault-log.ts';
import { table } from './table.ts';
import { describeViolations, violationsByFault } from './violations.ts';

export interface Run {
	readonly record: RunRecord;
	readonly rest: Rest;
	readonly faults: readonly LoggedFault[];
	/** When the run began; true time. */
	readonly startAt: number;
	/** Processes that ended on their own, and faults that could not be caused or repaired: sentences. */
	readonly problems: readonly string[];
}

/** Counts a run. Returns what to print, and whether nothing is wrong. */
export function outcomeOf({ record, rest, faults, startAt, problems }: Run): {
	readonly isCorrect: boolean;
	readonly text: string;
} {
	const { ledger } = record;
	const { clients, nodes, duplicates, inversions, ghosts, violations } = count(ledger);
	const { leaked } = rest;
	const stuck = [...rest.stuck, ...record.stuck];
	const failures = [
		...record.failures.map(({ at, what }) => `at ${seconds(at - startAt)}: ${what}`),
		...rest.unsettled,
		...problems,
	];
	const context = { ledger, faults, startAt, processOf: (client: string, at: number) => record.processOf(client, at) };
	const parts = [
		table([
			['messages published', ledger.published.length],
			['receivers', ledger.receivers.length],
			['deliveries to clients', clients.expected],
			['  missing, in a gap or silently', clients.missing],
			['deliveries to nodes', nodes.expected],
			['  missing, in a gap or silently', nodes.missing],
			['SILENT LOSSES at clients', clients.silent],
			['SILENT LOSSES at nodes', nodes.silent],
			['DUPLICATES', duplicates],
			['INVERSIONS', inversions],
			['GHOSTS', ghosts],
			['LEAKED CHANNELS', leaked.length],
			['STUCK PROMISES', stuck.length],
			['CRASHES, OTHER FAILURES', failures.length],
		]),
		...(violations.length > 0 ? [violationsByFault(violations, context).join('\n')] : []),
		...describeViolations(violations, context),
		...leaked.map((channel) => `leaked channel: ${channel}`),
		...stuck.map((promise) => `stuck: ${promise}`),
		...failures.map((failure) => `failure: ${failure}`),
	];
	const isCorrect = violations.length + leaked.length + stuck.length + failures.length === 0;
	return { isCorrect, text: parts.join('\n\n') };
}
