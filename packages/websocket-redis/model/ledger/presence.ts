import { audit } from '../../faults/presence/audit.ts';
import type { Finding, Outage, Span } from '../../faults/presence/records.ts';
import { RECOVERED_MS } from '../../faults/presence/stated-times.ts';
import type { ClientEntry } from '../clients/protocol.ts';
import type { LoggedFault } from '../report/fault-log.ts';
import { PRESENCE } from '../settings.ts';
import { ClientStays } from './presence-stays.ts';
import { viewsOf } from './presence-views.ts';

/** How long a node that was on another server may take to know the members again, in milliseconds. */
const BACK_MS = 20_000;
/** By how much the times of two processes may differ, and how late the machine may be, in milliseconds. */
const SLACK_MS = 1_000;
/** How soon clients notice that their node was killed or stopped, in milliseconds. */
const NOTICED_MS = 3_000;

export interface PresenceRun {
	readonly clients: readonly ClientEntry[];
	/** Returns the process that a connection was to, such as `a1`; `none` if it is not known. */
	readonly processOf: (socketId: string) => string;
	readonly faults: readonly LoggedFault[];
	readonly endAt: number;
}

/** Compares what clients knew of the members of topics with who was in them. */
export function presenceFindings({ clients, processOf, faults, endAt }: PresenceRun): Finding[] {
	const byClient = Map.groupBy(clients, ({ client }) => client);
	const nodeOf = (socketId: string): string => processOf(socketId).slice(0, 1);
	const elsewhere = (node: string): Span[] =>
		faults.flatMap(({ fault, from, until }) =>
			fault.kind === 'link led elsewhere' && fault.node === node ? [{ from, until: until + BACK_MS }] : [],
		);
	const all = Array.from(byClient, ([client, entries]) => {
		const { stays, connections } = new ClientStays(client, entries, nodeOf);
		return { stays, views: viewsOf(client, entries, connections, elsewhere) };
	});
	const stays = all.flatMap((each) => each.stays);
	for (const { fault, from, until } of faults) {
		if (fault.kind !== 'node killed' && fault.kind !== 'node stopped') continue;
		for (const stay of stays) {
			if (stay.node !== fault.node || stay.goneAt < from || stay.goneAt > Math.min(until, endAt) + NOTICED_MS) continue;
			stay.end = fault.kind === 'node killed' ? 'killed' : 'stopped';
			stay.until = Math.min(stay.until, Math.max(from, stay.askedAt));
		}
	}
	const views = all.flatMap((each) => each.views);
	return audit({ stays, views, outages: outagesOf(faults), endAt }, { leaveDelayMs, slackMs: SLACK_MS });
}

function leaveDelayMs(topic: string): number {
	return PRESENCE[topic]?.leaveDelayMs ?? 0;
}

/** Returns when nodes and the backend were broken. What follows within a short time counts as one. */
export function outagesOf(faults: readonly LoggedFault[]): Outage[] {
	const outages: { -readonly [K in keyof Outage]: Outage[K] }[] = [];
	for (const { fault, from, until } of faults.toSorted((one, other) => one.from - other.from)) {
		const node =
			'node' in fault ? fault.node : fault.kind === 'clock set' && fault.of !== 'redis' ? fault.of : undefined;
		const hasLostData = fault.kind === 'Redis flushed';
		const last = outages.findLast((outage) => outage.node === node && outage.hasLostData === hasLostData);
		if (last !== undefined && from <= last.until + RECOVERED_MS) last.until = Math.max(last.until, until);
		else outages.push({ node, isMarked: false, hasLostData, from, until });
	}
	return outages;
}
