/**
 * Keeps who is present in topics. A transport that can do so provides one as `Bus.presence`.
 * `@orijs/websocket/testing` exports the suite that every implementation must pass.
 *
 * A record says that a member has connections to a node. It belongs to one node and one generation of its lease: it
 * counts for as long as the lease lasts, and may be removed by any node afterwards. A member is present in a topic
 * while at least one node has a record of it. All times are by the backend's clock.
 */
export interface PresenceStore {
	/**
	 * Checks that the backend can keep presence. Called after each start of the bus.
	 *
	 * @throws an error saying what the backend lacks
	 */
	prepare(): Promise<void>;

	/**
	 * Applies a node's changes to a topic, in the given order, in one atomic step. If anything changes for others, the
	 * topic's version grows by one, and one change frame (see `wire/presence-frame.ts`) is published to the topic's
	 * presence channel, this node included. Resolves with the state afterwards.
	 *
	 * If the backend did not answer, the changes may be applied nevertheless, but not later than {@link
	 * APPLIED_WITHIN_MS} after the call, and not after a later `apply` of the same store to the topic. The store never
	 * repeats it.
	 *
	 * @throws {PresenceLeaseLostError} the lease is unknown to the backend, or records of its generation have been
	 * swept; nothing was applied. The node takes a new generation, and puts everything again
	 */
	apply(topic: string, batch: PresenceBatch): Promise<PresenceState>;

	/** Reads members, sorted by the bytes of their keys in UTF-8. */
	read(topic: string, query: PresenceQuery): Promise<StoredPresence>;

	/** Returns the version and the number of members, whatever that number is, in constant time. */
	count(topic: string): Promise<PresenceState>;

	/**
	 * Registers or renews a node's lease, which lasts for `leaseMs` from now, and hands out leases to be swept. Resolves
	 * with whether the lease holds. It does not if it is not new and the backend does not know it, or has handed it out
	 * to be swept.
	 *
	 * An expired lease is handed out to one node at a time, again after {@link CLAIMED_MS} if its sweep is not done.
	 * None is handed out for `leaseMs` after the backend was away (no lease was renewed for half of `leaseMs`), lost its
	 * data, or its clock was set: the nodes that are there renew theirs meanwhile. A released lease is only held back
	 * for {@link RELEASED_QUIET_MS}.
	 *
	 * @param isNew whether this is the first renewal of this generation
	 */
	renew(lease: PresenceLease, leaseMs: number, isNew: boolean): Promise<Renewal>;

	/**
	 * Removes the records of a lease that was handed out, and of earlier generations of its node, in at most `topics`
	 * topics, and publishes change frames. Of a released lease, removes only records that have lingered for their time.
	 * Records of a swept generation can't be put again. Once it is done, the lease is forgotten, if it has not been
	 * renewed meanwhile.
	 */
	sweep(lease: PresenceLease, options: SweepOptions): Promise<Sweep>;

	/**
	 * Gives up a lease, because its node stops: what lingers is swept when its time has come, by other nodes, and the
	 * rest after `afterMs`.
	 */
	release(lease: PresenceLease, afterMs: number): Promise<void>;

	/**
	 * Sets the function to be called when records of this node may be missing at the backend although they were applied:
	 * it has lost data, or another server has taken its place. The node then puts the records of the affected topics
	 * again.
	 */
	onLost(listener: (isAffected: (topic: string) => boolean) => void): void;
}

/** How late changes may be applied after the call, in milliseconds. */
export const APPLIED_WITHIN_MS = 2_000;
/**
 * Of several records of a member, the one whose info was set last says what its info is. Info that was set less long
 * ago than this, in milliseconds, counts as set when it is applied. When older info was set is reckoned from its age:
 * nodes put back what the backend has lost in any order.
 */
export const INFO_IS_NEW_MS = 1_000;
/** For how long a lease is one node's to sweep, in milliseconds. */
export const CLAIMED_MS = 5_000;
/**
 * For how long a released lease is not handed out after the backend was away, in milliseconds. That its node has ended
 * is certain, but its users may be on another one, which is about to say so. It is less than the time between two
 * renewals of a node, so that what has lingered for its time is swept within two seconds.
 */
export const RELEASED_QUIET_MS = 1_800;
/** For how long a topic's version outlives its last member, in milliseconds, at least. */
export const VERSION_KEPT_MS = 600_000;
/** The most changes of one `apply`, and of one frame. */
export const MAX_PRESENCE_OPS = 100;
/** The largest info that a store must take, in bytes of UTF-8. */
export const MAX_INFO_BYTES = 16_384;
/** The largest key, in bytes of UTF-8. */
export const MAX_KEY_BYTES = 1_100;

/** A generation of a node's lease. A later one is greater. */
export interface PresenceLease {
	/** A UUID v4. */
	readonly nodeId: string;
	readonly generation: number;
}

/** The version of a topic's members. */
export interface PresenceVersion {
	/** 8 characters. Another epoch means that the backend had lost the topic, or that it was empty for a long time. */
	readonly epoch: string;
	/** The number of changes in this epoch. */
	readonly n: number;
}

export interface PresenceState {
	/** Undefined if the topic has no members, and has had none lately. */
	readonly version: PresenceVersion | undefined;
	readonly count: number;
}

export interface PresenceBatch {
	readonly lease: PresenceLease;
	/** The start of a change frame: see `encodePresenceHeader`. */
	readonly header: Uint8Array;
	/** 1 to {@link MAX_PRESENCE_OPS}, each with another key. */
	readonly ops: readonly PresenceOp[];
	/**
	 * If a topic has more members than this, its changes do not name them, until it has 10 % fewer. 0: they never do.
	 */
	readonly membersUpTo: number;
}

/**
 * A change to a node's record of a member:
 *
 * - `put` creates it, or sets its connections and its info. A record that lingers is live again, and keeps its `since`.
 *   Putting what is there changes nothing, apart from the generation. Records of other nodes that only linger are
 *   removed; `since` is taken over from them
 * - `linger`: the member's last connection to this node has ended. The record stays for `ms`; if `ms` is 0, it is
 *   removed. While other nodes have live records of the member, only these count. If this was the last one, nothing
 *   changes for others, and records of other nodes that linger are removed
 * - `expire` removes it if it lingers and its time has come
 * - `remove` removes it
 */
export type PresenceOp =
	| {
			readonly kind: 'put';
			readonly key: string;
			/** At least 1. */
			readonly connections: number;
			/** How long the member has been connected to this node, in milliseconds; for a new record. */
			readonly ageMs: number;
			/** A JSON object, at most {@link MAX_INFO_BYTES}. */
			readonly info: string | undefined;
			/** How long ago the info was set, in milliseconds. Default 0. See {@link INFO_IS_NEW_MS}. */
			readonly infoAgeMs?: number | undefined;
	  }
	| { readonly kind: 'linger'; readonly key: string; readonly ms: number }
	| { readonly kind: 'expire'; readonly key: string }
	| { readonly kind: 'remove'; readonly key: string };

export interface PresenceQuery {
	/** Only members after this key. */
	readonly after?: string | undefined;
	/** 1 to 1,000. */
	readonly limit: number;
}

export interface StoredPresence extends PresenceState {
	readonly members: readonly StoredMember[];
	/** Whether there are more members after these. */
	readonly hasMore: boolean;
	/** How many entries on this page could not be read: they are skipped, and are not part of `count`. */
	readonly skipped: number;
}

export interface StoredMember {
	readonly key: string;
	/**
	 * The sum of the connections of all live records. If all records linger, the number that the latest one had.
	 */
	readonly connections: number;
	/** The least of these records, in milliseconds since the epoch. */
	readonly since: number;
	/** That of the one of them whose info was set last, as JSON. */
	readonly info: string | undefined;
	/** The nodes that have a record of it. */
	readonly nodes: readonly PresenceLease[];
}

export interface Renewal {
	/** Whether the lease holds. If not, the node takes a new generation, and puts everything again. */
	readonly isKept: boolean;
	/** Leases that are this node's to sweep. At most 10. */
	readonly expired: readonly PresenceLease[];
	/** Those of them that were released. */
	readonly released: readonly PresenceLease[];
	/** The time at the backend, in milliseconds since the epoch. */
	readonly now: number;
}

export interface SweepOptions {
	/** The start of the change frames. */
	readonly header: Uint8Array;
	/** See {@link PresenceBatch.membersUpTo}. */
	readonly membersUpTo: (topic: string) => number;
	/** The most topics that are looked at. */
	readonly topics: number;
}

export interface Sweep {
	/** Whether nothing is left of the lease. */
	readonly isDone: boolean;
	/** How many records were removed. */
	readonly removed: number;
}
