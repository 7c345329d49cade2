import type { Finding, Outage, PresenceRecord, Span, Stay, View } from './records.ts';
import { between, intersection, uncovered, union } from './spans.ts';
import { JOINED_MS, KEPT_MS, KILLED_MS, LEFT_MS, RECOVERED_MS, STALE_MS } from './stated-times.ts';

export interface AuditOptions {
	/** For how long a topic keeps a user's place. */
	readonly leaveDelayMs: (topic: string) => number;
	/** By how much any time of the record may be wrong: what the counting process was late. */
	readonly slackMs: number;
}

/** Compares what clients knew of the members of topics with which clients were in them. */
export function audit(record: PresenceRecord, options: AuditOptions): Finding[] {
	const byMember = new Map<string, Map<string, Stay[]>>();
	for (const stay of record.stays) {
		let members = byMember.get(stay.topic);
		if (members === undefined) byMember.set(stay.topic, (members = new Map()));
		const stays = members.get(stay.key);
		if (stays === undefined) members.set(stay.key, [stay]);
		else stays.push(stay);
	}
	const findings: Finding[] = [];
	for (const view of record.views) {
		const members = byMember.get(view.topic) ?? new Map<string, Stay[]>();
		for (const key of new Set([...members.keys(), ...view.members.keys()])) {
			const member = new MemberAudit(view, key, members.get(key) ?? [], record, options);
			findings.push(...member.ghosts(), ...member.flaps(), ...member.losses());
		}
		findings.push(...unmarked(view, record, options));
	}
	return findings.toSorted((one, other) => one.at - other.at);
}

/** One member of a topic, as one client saw it. */
class MemberAudit {
	readonly #view: View;
	readonly #key: string;
	readonly #stays: readonly Stay[];
	readonly #outages: readonly Outage[];
	/** While the client watched. */
	readonly #watched: Span;
	readonly #seen: readonly Span[];
	/** While the member had to be there, as far as the client's node could know. */
	readonly #certain: readonly Span[];
	/** The same, if nodes that were cut off take all the time that they have to tell each other. */
	readonly #told: readonly Span[];
	readonly #leaveDelayMs: number;
	readonly #slackMs: number;

	constructor(view: View, key: string, stays: readonly Stay[], record: PresenceRecord, options: AuditOptions) {
		this.#view = view;
		this.#key = key;
		this.#stays = stays;
		this.#outages = record.outages;
		this.#leaveDelayMs = key.startsWith('user:') ? options.leaveDelayMs(view.topic) : 0;
		this.#slackMs = options.slackMs;
		this.#watched = { from: view.from, until: Math.min(view.until, record.endAt) };
		this.#seen = view.members.get(key) ?? [];
		this.#certain = union(stays.map((stay) => ({ from: this.#knownFrom(stay, 0), until: stay.until })));
		this.#told = union(stays.map((stay) => ({ from: this.#knownFrom(stay, RECOVERED_MS), until: stay.until })));
	}

	/**
	 * Returns from when on the client's node can know of a stay: while a node is frozen or cut off, it can't tell the
	 * others who has come to it, nor be told who has come to them.
	 *
	 * @param afterMs how long it takes once the node is back
	 */
	#knownFrom({ node, from }: Stay, afterMs: number): number {
		const { node: viewing } = this.#view;
		if (node === viewing) return from;
		const outages = this.#outages.filter(
			(outage) =>
				(outage.node === node || outage.node === viewing) &&
				outage.from <= from + this.#slackMs &&
				outage.until >= from,
		);
		return Math.max(from, ...outages.map(({ until }) => until + afterMs));
	}

	ghosts(): Finding[] {
		const possible = union(this.#stays.map(({ askedAt, goneAt }) => ({ from: askedAt, until: goneAt })));
		return between(possible).flatMap((absence) => {
			const from = this.#goneBy(absence.from) + this.#slackMs;
			const late = { from, until: absence.until - this.#slackMs };
			return this.#seen.flatMap((seen) => {
				const ghost = intersection(seen, late);
				const watched = ghost && intersection(ghost, this.#watched);
				if (watched === undefined) return [];
				const since = Number.isFinite(absence.from)
					? `since ${Math.round(watched.from - absence.from)} ms`
					: 'and never was';
				return this.#finding('ghost', watched.from, `was there for ${Math.round(lengthOf(watched))} ms, gone ${since}`);
			});
		});
	}

	/** Returns by when the member has to be gone whose last connection ended at this time. */
	#goneBy(lastAt: number): number {
		let latest = -Infinity;
		for (const { goneAt, end, node } of this.#stays) {
			if (goneAt > lastAt) continue;
			// Who sweeps may be any node.
			const isSwept = end === 'killed' || end === 'stopped';
			const nodes = isSwept ? undefined : [node, this.#view.node];
			const stated = isSwept ? KILLED_MS : (end === 'unsubscribed' ? 0 : this.#leaveDelayMs) + LEFT_MS;
			const goneBy = this.#extended(goneAt, goneAt + stated, stated + RECOVERED_MS, nodes);
			const lost = this.#outages.findLast((outage) => outage.hasLostData === true && outage.from <= goneBy);
			const keptUntil = lost !== undefined && lost.until + RECOVERED_MS >= goneAt ? lost.until + KILLED_MS : -Infinity;
			latest = Math.max(latest, goneBy, keptUntil);
		}
		return latest;
	}

	flaps(): Finding[] {
		return this.#seen.flatMap(({ until }) => {
			if (until >= this.#watched.until || this.#mayLeaveAt(until) || this.#wasAwayAt(until)) return [];
			return this.#finding('flap', until, 'left, although it stayed or came back in time');
		});
	}

	/** Whether the member may be told to have left at this time, because it was away for long enough. */
	#mayLeaveAt(at: number): boolean {
		return between(this.#told).some(({ from, until }) => {
			// Who leaves on purpose leaves at once, and may do so before the subscription is confirmed.
			const onPurpose = this.#stays.flatMap((stay) => (stay.isLeaving && stay.until >= from ? stay.until : []));
			const earliest = Math.min(from + this.#leaveDelayMs, ...onPurpose) - this.#slackMs;
			return until >= earliest && at >= earliest && at <= this.#knownBy(until, this.#nodes());
		});
	}

	losses(): Finding[] {
		const watchedFrom = this.#watchedFrom();
		return this.#certain.flatMap((stay) => {
			const from = Math.max(watchedFrom, this.#knownBy(stay.from, this.#nodes(stay)));
			const required = intersection({ from, until: stay.until }, this.#watched);
			if (required === undefined) return [];
			return uncovered(required, this.#seen).flatMap((missing) => {
				// What begins with a wrong `left` is a flap; then only the time until the member was back counts.
				if (lengthOf(missing) <= this.#slackMs || this.#wasAwayAt(missing.from)) return [];
				const isFlap = this.#seen.some(({ until }) => until === missing.from);
				const isLong = lengthOf(missing) > JOINED_MS + this.#slackMs;
				if (isFlap && !isLong) return [];
				return this.#finding('loss', missing.from, `was not there for ${Math.round(lengthOf(missing))} ms`);
			});
		});
	}

	/** Returns from when on the client has to know all: later if it was told at first that members may be missing. */
	#watchedFrom(): number {
		const { from, node, stale } = this.#view;
		const isStale = stale.some((span) => span.from <= from + this.#slackMs && span.until > from);
		return isStale ? this.#extended(from, from, RECOVERED_MS + this.#slackMs, [node]) : from;
	}

	/** Returns by when a connection from this time on is known. */
	#knownBy(from: number, nodes: readonly string[]): number {
		const stated = JOINED_MS + this.#slackMs;
		return this.#extended(from, from + stated, RECOVERED_MS + this.#slackMs, [...nodes, this.#view.node]);
	}

	/**
	 * Whether the member may be missing at this time, because all its nodes were frozen or cut off for longer than their
	 * leases, or when the backend had lost its data. To clients of these nodes it may not.
	 */
	#wasAwayAt(at: number): boolean {
		const nodes = this.#nodesAt(at);
		if (nodes.length === 0 || nodes.includes(this.#view.node)) return false;
		return nodes.every((node) =>
			this.#outages.some((outage) => {
				if (outage.node !== node) return false;
				const { until } = outage;
				const back = this.#extended(until, until + RECOVERED_MS, RECOVERED_MS, [node, this.#view.node]);
				return at >= this.#missingFrom(outage) && at <= back;
			}),
		);
	}

	/** Returns from when on members of a node that was out may be missing; Infinity if they may not. */
	#missingFrom(outage: Outage): number {
		const lost = this.#outages.find(
			({ hasLostData, from, until }) =>
				hasLostData === true && outage.from <= until + RECOVERED_MS && outage.until >= from,
		);
		// Those who have known them keep them for a while.
		const from = lost === undefined ? Infinity : lost.from + (this.#view.from > lost.from ? 0 : KEPT_MS);
		return Math.min(from, lengthOf(outage) >= KEPT_MS ? outage.from + KEPT_MS : Infinity);
	}

	/** Returns the nodes with connections of the member that have to be known; without any, that of its last one. */
	#nodesAt(at: number): string[] {
		const known = this.#stays.filter(({ from, goneAt }) => from + JOINED_MS + this.#slackMs <= at && goneAt > at);
		if (known.length > 0) return [...new Set(known.map(({ node }) => node))];
		const last = this.#stays.reduce<Stay | undefined>((latest, stay) => {
			return stay.goneAt <= at && stay.goneAt > (latest?.goneAt ?? -Infinity) ? stay : latest;
		}, undefined);
		return last === undefined ? [] : [last.node];
	}

	/** Returns the nodes on which the member has, or had, connections. */
	#nodes(span: Span = { from: -Infinity, until: Infinity }): string[] {
		const stays = this.#stays.filter(({ askedAt, goneAt }) => intersection({ from: askedAt, until: goneAt }, span));
		return [...new Set(stays.map(({ node }) => node))];
	}

	/**
	 * Returns a deadline, later by outages that began before it: each gives a stated time once it is over.
	 *
	 * @param nodes whose outages count; undefined for all
	 */
	#extended(from: number, deadline: number, afterMs: number, nodes: readonly string[] | undefined): number {
		let latest = deadline;
		for (const outage of this.#outages) {
			const isConcerned = outage.node === undefined || nodes === undefined || nodes.includes(outage.node);
			if (isConcerned && outage.until >= from && outage.from <= latest)
				latest = Math.max(latest, outage.until + afterMs);
		}
		return latest;
	}

	#finding(kind: Finding['kind'], at: number, what: string): Finding {
		const { watcher, node, topic } = this.#view;
		const near = this.#stays.filter((stay) => intersection(stay, { from: at - KILLED_MS, until: at + KILLED_MS }));
		const where = near.map(
			(stay) => `${stay.node} from ${Math.round(stay.from - at)} to ${Math.round(stay.until - at)} ms (${stay.end})`,
		);
		const stays = where.join(', ') || 'nowhere';
		return { kind, at, what: `${watcher} on ${node} saw ${this.#key} of ${topic}: it ${what}; it was on ${stays}` };
	}
}

/** Returns the outages of its node that a client was not told of. */
function unmarked(view: View, { outages, endAt }: PresenceRecord, { slackMs }: AuditOptions): Finding[] {
	const watched = { from: view.from, until: Math.min(view.until, endAt) };
	return outages.flatMap((outage) => {
		if (!outage.isMarked || (outage.node !== undefined && outage.node !== view.node)) return [];
		const isThere = watched.from <= outage.from && watched.until >= outage.until;
		if (!isThere || lengthOf(outage) <= STALE_MS + slackMs) return [];
		if (view.stale.some((stale) => intersection(stale, outage))) return [];
		const what = `${view.watcher} on ${view.node} was not told that its members of ${view.topic} may be out of date`;
		return [{ kind: 'unmarked' as const, at: outage.from, what }];
	});
}

function lengthOf({ from, until }: Span): number {
	return until - from;
}
