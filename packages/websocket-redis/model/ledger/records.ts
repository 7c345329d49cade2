/** What a run did, as its processes recorded it. All `at` are true times in milliseconds, whatever the clocks said. */

/** A topic, `*` for a broadcast, or `@{client}` for a message to one client. */
export type Channel = string;

/**
 * The outcome of a publish by its promise. `refused`: it rejected because the provider had stopped, and did nothing.
 * `pending`: it was not settled when the record ended. `stored elsewhere`: the process stopped while its link led to
 * another server, so that no one can tell what it stored there.
 */
export type Outcome = 'accepted' | 'rejected' | 'refused' | 'pending' | 'stored elsewhere';

export interface Published {
	/** The publishing process: `a1` is the first one of node a. */
	readonly by: string;
	readonly channel: Channel;
	/** Counts from 0, for each process and channel. */
	readonly n: number;
	readonly at: number;
	/**
	 * The publisher's clock before and after the call. If the clock was set in between, either may be the stamp. Also
	 * the time by its former setting, if others could never learn of the present one.
	 */
	readonly stamps: readonly number[];
	readonly outcome: Outcome;
	/** The connection that a message to one client was sent to. */
	readonly socketId?: string | undefined;
}

export interface Subscription {
	/** Unique for the receiver. */
	readonly id: number;
	readonly channel: Channel;
	/** For messages to one client: the connection. */
	readonly socketId?: string | undefined;
	/** When it was asked for. */
	readonly requested: number;
	/** When it was confirmed: what is published from then on must arrive, or lie in a gap. Infinity: never. */
	readonly from: number;
	/**
	 * What is published later is not expected: the receiver left so soon after it that it need not have learned of a
	 * loss. Infinity: it never left.
	 */
	readonly until: number;
	/** When it was given up. Nothing may be delivered to it after that. */
	readonly ended: number;
	/** When the server had confirmed that it is over: from then on nothing may arrive at all. */
	readonly gone: number;
}

export interface Delivery {
	readonly at: number;
	readonly channel: Channel;
	readonly by: string;
	readonly n: number;
	/** The number of the client's connection; undefined for a node. */
	readonly connection?: number | undefined;
	/** The subscription whose listener was called; undefined for what arrives without one. */
	readonly subscription?: number | undefined;
	/** The position in the topic's history. */
	readonly position?: { readonly epoch: string; readonly offset: number } | undefined;
}

export interface ToldGap {
	readonly at: number;
	readonly topic: string;
	readonly since: number;
	readonly until: number;
	readonly reason?: string | undefined;
}

/** A client, or the socket of a node by which the losses of the node are counted. */
export interface Receiver {
	readonly kind: 'client' | 'node';
	/** Of a node's socket: the process, as in `Published.by`. */
	readonly name: string;
	readonly subscriptions: readonly Subscription[];
	/** In the order of arrival. */
	readonly deliveries: readonly Delivery[];
	readonly gaps: readonly ToldGap[];
	/** When a client was told that a topic could not be recovered. The gap follows, once all topics are answered. */
	readonly unrecovered?: readonly { readonly at: number; readonly topic: string }[];
}

export interface Ledger {
	readonly published: readonly Published[];
	readonly receivers: readonly Receiver[];
}
