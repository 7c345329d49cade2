/** Times are in milliseconds since the epoch, by the clock of the process that counts. */
export interface Span {
	readonly from: number;
	readonly until: number;
}

/**
 * A client in a topic, over one connection. When exactly its node counts it can't be known, hence two spans: it
 * may be counted from `askedAt` to `goneAt`, and has to be from `from` to `until`.
 */
export interface Stay {
	readonly topic: string;
	/** The key of the member that it belongs to. */
	readonly key: string;
	readonly node: string;
	/** When the client asked for the topic. */
	readonly askedAt: number;
	/** When the node confirmed it; Infinity if it did not. */
	from: number;
	/** When the client left, or its node was killed or told to stop; Infinity if it did not. */
	until: number;
	/** When the client knew that it was gone; Infinity if it does not. */
	goneAt: number;
	/** Whether the client has asked to leave, by `@unsubscribe`, whether that was answered or not. */
	isLeaving: boolean;
	/** How it ended, if it has: by the end of its connection, by `@unsubscribe` that was answered, or with its node. */
	end: 'disconnected' | 'unsubscribed' | 'killed' | 'stopped';
}

/** What a client knew of a topic's members while it watched it, over one connection. */
export interface View {
	readonly watcher: string;
	readonly topic: string;
	readonly node: string;
	/** From the answer to `@watch` on. */
	readonly from: number;
	/** Infinity if it has not ended. */
	until: number;
	/** When each member was there, by the rule of clients. */
	readonly members: ReadonlyMap<string, readonly Span[]>;
	/** When the client was told that its members may be out of date. */
	readonly stale: readonly Span[];
}

/** Something was broken: a node frozen, or its links to the backend cut or frozen. */
export interface Outage extends Span {
	/** The node that it concerns; undefined if it is the backend, and so all of them. */
	readonly node: string | undefined;
	/** Whether the node itself could notice it and say so: false if it was frozen. */
	readonly isMarked: boolean;
	/** Whether the backend lost data: who was there is kept until all nodes can have put their members back. */
	readonly hasLostData?: boolean;
}

/** Everything that the audit compares. */
export interface PresenceRecord {
	readonly stays: readonly Stay[];
	readonly views: readonly View[];
	readonly outages: readonly Outage[];
	/** When the run was over. */
	readonly endAt: number;
}

/**
 * - `ghost`: a member was there, beyond the stated time, although none of its clients was
 * - `loss`: a member was not there, beyond the stated time, although a client of it was
 * - `flap`: somebody was told that a member had left who stayed, or came back in time
 * - `count`: the number of members was not that of the members
 * - `doubled`: a change was told that the client had been told before
 * - `unmarked`: a client was not told that what it knows may be out of date
 */
export type FindingKind = 'ghost' | 'loss' | 'flap' | 'count' | 'doubled' | 'unmarked';

export interface Finding {
	readonly kind: FindingKind;
	readonly at: number;
	readonly what: string;
}
