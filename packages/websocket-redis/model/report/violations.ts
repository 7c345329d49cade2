import type { Violation } from '../ledger/counts.ts';
import { gapTopicOf } from '../ledger/count.ts';
import type { Ledger, Published, Receiver } from '../ledger/records.ts';
import { faultsAround, type LoggedFault, seconds, span } from './fault-log.ts';

const MOST = 10;
/** Receivers of one group that are named. */
const MAX_RECEIVERS = 4;
/** Violations this near belong together, and gaps this near are shown, in milliseconds. */
const TOGETHER_MS = 5_000;
const NEAR_MS = 20_000;

export interface Context {
	readonly ledger: Ledger;
	readonly faults: readonly LoggedFault[];
	/** When the run began; true time. */
	readonly startAt: number;
	/** Returns the process that a client was connected to. */
	readonly processOf: (client: string, at: number) => string;
}

/** Violations of one kind and stream, of all receivers, one soon after the other. */
interface Group {
	readonly first: Violation;
	last: Violation;
	readonly receivers: Set<string>;
	count: number;
}

/** Describes the first violations for those who look for their cause. Times are in seconds since the start. */
export function describeViolations(violations: readonly Violation[], context: Context): string[] {
	const groups: Group[] = [];
	const open = new Map<string, Group>();
	for (const violation of violations) {
		const { kind, receiver, message, at } = violation;
		const key = `${kind} ${message?.by} ${message?.channel.replace(/^@.*/, '@')}`;
		const group = open.get(key);
		if (group !== undefined && at - group.last.at < TOGETHER_MS) {
			group.count++;
			group.last = violation;
			group.receivers.add(receiver);
		} else {
			const created = { first: violation, last: violation, receivers: new Set([receiver]), count: 1 };
			open.set(key, created);
			groups.push(created);
		}
	}
	const described = groups.slice(0, MOST).map((group) => describe(group, context));
	return groups.length > MOST ? [...described, `… and ${groups.length - MOST} more groups`] : described;
}

/** Returns how many violations there were while what was broken, the most first. */
export function violationsByFault(violations: readonly Violation[], { faults, startAt }: Context): string[] {
	const counts = new Map<string, number>();
	for (const { kind, at } of violations) {
		const key = `${kind}: ${faultsAround(faults, at, startAt).join('; ') || 'nothing was broken'}`;
		counts.set(key, (counts.get(key) ?? 0) + 1);
	}
	const sorted = [...counts].toSorted(([, a], [, b]) => b - a);
	return sorted.slice(0, MOST).map(([what, count]) => `${count} × ${what}`);
}

function describe({ first, last, receivers, count }: Group, context: Context): string {
	const { faults, startAt, processOf } = context;
	const { kind, receiver: name, message, at, detail } = first;
	const receiver = context.ledger.receivers.find((each) => each.name === name);
	const connected = (client: string): string => {
		const isClient = context.ledger.receivers.find((each) => each.name === client)?.kind === 'client';
		return isClient ? `${client} (of ${processOf(client, at)})` : `node ${client}`;
	};
	const names = [...receivers].slice(0, MAX_RECEIVERS).map(connected);
	const others = receivers.size - names.length;
	const to = others > 0 ? `${names.join(', ')} and ${others} more` : names.join(', ');
	const lines = [`${count} × ${kind}: ${messagesOf(first, last)} to ${to}`];
	if (detail !== undefined) lines.push(`  ${detail}`);
	if (message === undefined) lines.push(`  at ${seconds(at - startAt)}`);
	else {
		lines.push(`  published ${publishing(message, startAt)}`);
		if (last.message !== undefined && last.message !== message)
			lines.push(`  to        ${publishing(last.message, startAt)}`);
		lines.push(`  gaps told to ${name}, by the publisher's clock: ${gapsNear(message, receiver, startAt) || 'none'}`);
	}
	lines.push(`  broken: ${faultsAround(faults, at, startAt).join('; ') || 'nothing'}`);
	return lines.join('\n');
}

/** The gaps of a receiver that are near a message, shifted so that they can be compared with when it was published. */
function gapsNear(message: Published, receiver: Receiver | undefined, startAt: number): string {
	const { at, channel, stamps } = message;
	const aheadMs = (stamps.at(-1) ?? at) - at;
	return (receiver?.gaps ?? [])
		.filter(({ topic }) => topic === gapTopicOf(channel))
		.map((gap) => ({ ...gap, since: gap.since - aheadMs, until: gap.until - aheadMs }))
		.filter(({ since, until, at: told }) => {
			return Math.abs(told - at) <= NEAR_MS || (since <= at + NEAR_MS && at - NEAR_MS <= until);
		})
		.map(({ since, until, at: told, reason }) => {
			const why = reason === undefined ? '' : `: ${reason}`;
			return `${span(since - startAt, until - startAt)} (told at ${seconds(told - startAt)}${why})`;
		})
		.join('; ');
}

function messagesOf({ message: first }: Violation, { message: last }: Violation): string {
	if (first === undefined) return 'a message that was never published';
	const numbers = last === undefined || last.n === first.n ? `${first.n}` : `${first.n} to ${last.n}`;
	return `${numbers} of ${first.by} on ${first.channel}`;
}

function publishing({ at, stamps, outcome }: Published, startAt: number): string {
	const aheadMs = Math.round((stamps.at(-1) ?? at) - at);
	return `${seconds(at - startAt)} (${outcome}; its clock was ahead by ${seconds(aheadMs)})`;
}
