import { count } from '../ledger/count.ts';
import type { Finding } from '../../faults/presence/records.ts';
import type { RunRecord } from '../ledger/run-record.ts';
import type { Rest } from '../deployment/settle.ts';
import { faultsAround, type LoggedFault, seconds } from './fault-log.ts';
import { table } from './table.ts';
import { describeViolations, violationsByFault } from './violations.ts';

/** How many problems of one kind are described. */
const MOST = 10;

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
	const presence = record.presence(faults, rest.endAt);
	const ofPresence = (kind: Finding['kind']): number => presence.filter((finding) => finding.kind === kind).length;
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
			['PRESENCE: GHOSTS', ofPresence('ghost')],
			['PRESENCE: LOSSES', ofPresence('loss')],
			['PRESENCE: FLAPS', ofPresence('flap')],
			['LEAKED CHANNELS', leaked.length],
			['STUCK PROMISES', stuck.length],
			['CRASHES, OTHER FAILURES', failures.length],
		]),
		...(violations.length > 0 ? [violationsByFault(violations, context).join('\n')] : []),
		...describeViolations(violations, context),
		...first(presence, (finding) => describePresence(finding, faults, startAt)),
		...first(leaked, (channel) => `leaked channel: ${channel}`),
		...first(stuck, (promise) => `stuck: ${promise}`),
		...first(failures, (failure) => `failure: ${failure}`),
	];
	const isCorrect = violations.length + presence.length + leaked.length + stuck.length + failures.length === 0;
	return { isCorrect, text: parts.join('\n\n') };
}

/** Describes the first of the problems, and says how many there are besides. */
function first<Problem>(problems: readonly Problem[], describe: (problem: Problem) => string): string[] {
	const described = problems.slice(0, MOST).map((problem) => describe(problem));
	return problems.length > MOST ? [...described, `… and ${problems.length - MOST} more`] : described;
}

function describePresence({ kind, at, what }: Finding, faults: readonly LoggedFault[], startAt: number): string {
	const around = faultsAround(faults, at, startAt).map((fault) => `\n  ${fault}`);
	return `presence, ${kind} at ${seconds(at - startAt)}: ${what}${around.join('')}`;
}
