import type { NodeEntry } from '../node/protocol.ts';
import { hasHistory } from '../settings.ts';
import { LEAVING_MS } from './client-records.ts';
import type { Delivery, Published, Receiver, Subscription, ToldGap } from './records.ts';

/** What one process of a node wrote. */
export interface NodeJournal {
	/** As in `Published.by`. */
	readonly process: string;
	readonly entries: readonly NodeEntry[];
	/** Whether the process was still there at the end of the run. */
	readonly isLast: boolean;
	/** When the link of the node led to another server: true times in milliseconds. */
	readonly ledElsewhere: readonly { readonly from: number; readonly until: number }[];
}

/**
 * A node announces its clock with each heartbeat, every 500 ms; half a heartbeat is the tolerance of gaps. If its clock
 * is set and it is killed within this time, in milliseconds, the others know only the former setting.
 */
const UNTOLD_MS = 750;
/** Readings of one setting of the clock differ by less than this, in milliseconds. */
const SMALLEST_STEP_MS = 50;

type Open = { -readonly [K in keyof Published]: Published[K] } & { stamps: number[] };

/** Returns what a process published. */
export function publishedBy({ process, entries, isLast, ledElsewhere }: NodeJournal): Published[] {
	const published = new Map<string, Open>();
	for (const entry of entries) {
		if (entry.do !== 'publish' && entry.do !== 'called' && entry.do !== 'outcome') continue;
		const key = `${entry.channel} ${entry.n}`;
		if (entry.do === 'publish') {
			const { at, channel, n, stamp, socketId } = entry;
			published.set(key, { by: process, channel, n, at, stamps: [stamp], outcome: 'pending', socketId });
		}
		const message = published.get(key);
		if (entry.do === 'called') message?.stamps.push(entry.stamp);
		else if (entry.do === 'outcome' && message !== undefined) message.outcome = entry.outcome;
	}
	const all = [...published.values()];
	const stoppedAt = entries.find((entry) => entry.do === 'stopped')?.at;
	if (!isLast && stoppedAt === undefined) addFormerStamps(all);
	if (!isLast) addStampsBeforeCutOff(all, entries);
	const elsewhere = ledElsewhere.find(
		({ from, until }) => stoppedAt !== undefined && from <= stoppedAt && stoppedAt <= until,
	);
	if (elsewhere !== undefined) markStoredElsewhere(all, elsewhere.from);
	return all;
}

/** Marks what a process stored that stopped while its link led to another server. */
function markStoredElsewhere(published: readonly Open[], since: number): void {
	for (const message of published) {
		if (message.at >= since && hasHistory(message.channel)) message.outcome = 'stored elsewhere';
	}
}

/**
 * Adds the time by the former setting of the clock to the last messages of a process that was killed right after its
 * clock was set.
 */
function addFormerStamps(published: readonly Open[]): void {
	const lastAt = published.reduce((last, { at }) => Math.max(last, at), 0);
	const recent = published.filter(({ at }) => at > lastAt - UNTOLD_MS);
	for (const message of recent) {
		const former = recent.find((earlier) => earlier.at < message.at && differ(earlier, message));
		if (former !== undefined) message.stamps.push(message.at + offsetOf(former));
	}
}

/**
 * Adds the time by the setting of the clock before a process was cut off to the messages that it published from then
 * on, if it ended without having reached Redis again: the others never know another setting.
 */
function addStampsBeforeCutOff(published: readonly Open[], entries: readonly NodeEntry[]): void {
	let cutOffAt = Infinity;
	for (const entry of entries) {
		if (entry.do !== 'status' || entry.status === 'stopped') continue;
		cutOffAt = entry.status === 'ready' ? Infinity : Math.min(cutOffAt, entry.at);
	}
	const before = published.findLast(({ at }) => at < cutOffAt);
	if (before === undefined) return;
	for (const message of published) {
		if (message.at >= cutOffAt && differ(before, message)) message.stamps.push(message.at + offsetOf(before));
	}
}

/** Whether the clock was set between two messages. */
function differ(one: Open, other: Open): boolean {
	return Math.abs(offsetOf(one) - offsetOf(other)) > SMALLEST_STEP_MS;
}

function offsetOf({ at, stamps }: Open): number {
	return (stamps[0] ?? at) - at;
}

/**
 * Returns what reached the sockets of a process, by its own socket.
 *
 * @param endAt when the run was over: what ends later was there until the end
 */
export function nodeReceiver({ process, entries, isLast }: NodeJournal, endAt: number): Receiver {
	const subscriptions: { -readonly [K in keyof Subscription]: Subscription[K] }[] = [];
	const deliveries: Delivery[] = [];
	const gaps: ToldGap[] = [];
	let lastAt = -Infinity;
	const leave = (at: number): void => {
		if (at >= endAt) return;
		for (const each of subscriptions) {
			each.until = Math.min(each.until, at - LEAVING_MS);
			each.gone = Math.min(each.gone, at);
		}
	};
	for (const entry of entries) {
		if ('at' in entry) lastAt = entry.at;
		if (entry.do === 'subscribed') {
			const end = { until: Infinity, ended: Infinity, gone: Infinity };
			const id = subscriptions.length;
			subscriptions.push({ id, channel: entry.channel, requested: -Infinity, from: entry.at, ...end });
		} else if (entry.do === 'delivery') {
			const { at, channel, by, n, position } = entry;
			deliveries.push({ at, channel, by, n, position });
		} else if (entry.do === 'gap') {
			const { at, topic, since, until, reason } = entry;
			gaps.push({ at, topic, since, until, reason });
		} else if (entry.do === 'disconnected') leave(entry.at);
	}
	// Its last sign of life: a process that is killed writes nothing more.
	if (!isLast) leave(lastAt);
	return { kind: 'node', name: process, subscriptions, deliveries, gaps };
}
