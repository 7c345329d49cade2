import type { Violation } from '../ledger/counts.ts';
import { gapTopicOf } from '../ledger/count.ts';
import type { Ledger, Published } from '../ledger/records.ts';
import { faultsAround, type LoggedFault, seconds, span } from './fault-log.ts';

const MOST = 10;
/** Gaps this near are shown, in milliseconds. */
const NEAR_MS = 20_000;

export interface Context {
	readonly ledger: Ledger;
	readonly faults: readonly LoggedFault[];
	/** When the run began; true time. */
	readonly startAt: number;
	/** Returns the process that a client was connected to. */
	readonly processOf: (client: string, at: number) => string;
}

/** Violations of one kind and stream, one after the other. */
interface Group {
	readonly first: Violation;
	last: Violation;
	count: number;
}

/** Describes violations for those who look for their cause. Times are in seconds since the start. */
export function describeViolations(violations: readonly Violation[], context: Context): string[] {
	const groups = new Map<string, Group>();
	for (const violation of violations) {
		const { kind, receiver, message, at } = violation;
		const key = `${kind} ${receiver} ${message?.by} ${message?.channel}`;
		const group = groups.get(key);
		if (group !== undefined && at - group.last.at < NEAR_MS) {
			group.count++;
			group.last = violation;
		} else {
			groups.set(group === undefined ? key : `${key} ${at}`, { first: violation, last: violation, count: 1 });
		}
	}
	const described = [...groups.values()].slice(0, MOST).map((group) => describe(group, context));
	return groups.size > MOST ? [...described, `… and ${groups.size - MOST} more groups`] : described;
}

function describe({ first, last, count }: Group, { ledger, faults, startAt, processOf }: Context): string {
	const { kind, receiver, message, at, detail } = first;
	const lines = [`${count === 1 ? kind : `${count} × ${kind}`}: ${messagesOf(first, last)} to ${receiver}`];
	const record = ledger.receivers.find(({ name }) => name === receiver);
	if (record?.kind === 'client') lines[0] += ` (connected to ${processOf(receiver, at)})`;
	if (detail !== undefined) lines.push(`  ${detail}`);
	if (message !== undefined) {
		lines.push(`  published ${publishing(message, startAt)}`);
		if (last !== first && last.message !== undefined) lines.push(`  to        ${publishing(last.message, startAt)}`);
		// The publisher's clock, so that gaps can be compared with the messages.
		const aheadMs = (message.stamps.at(-1) ?? message.at) - message.at;
		const gaps = (record?.gaps ?? []).filter(({ topic, since, until }) => {
			const isNear = since - aheadMs <= at + NEAR_MS && until - aheadMs >= at - NEAR_MS;
			return topic === gapTopicOf(message.channel) && isNear;
		});
		const told = gaps.map(
			(gap) =>
				`${span(gap.since - aheadMs - startAt, gap.until - aheadMs - startAt)} (told at ${seconds(gap.at - startAt)}` +
				`${gap.reason === undefined ? '' : `: ${gap.reason}`})`,
		);
		lines.push(`  gaps near it, by the publisher's clock: ${told.join('; ') || 'none'}`);
	} else lines.push(`  at ${seconds(at - startAt)}`);
	lines.push(`  broken: ${faultsAround(faults, at, startAt).join('; ') || 'nothing'}`);
	return lines.join('\n');
}

function messagesOf({ message: first }: Violation, { message: last }: Violation): string {
	if (first === undefined) return 'a message that was never published';
	const numbers = last === undefined || last === first ? `${first.n}` : `${first.n} to ${last.n}`;
	return `${numbers} of ${first.by} on ${first.channel}`;
}

function publishing({ at, stamps, outcome }: Published, startAt: number): string {
	const aheadMs = Math.round((stamps.at(-1) ?? at) - at);
	return `${seconds(at - startAt)} (${outcome}; its clock was ahead by ${seconds(aheadMs)})`;
}
