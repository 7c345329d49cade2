/** The record of a run: all messages published, all messages received, all gaps reported. */

/** A topic, `*` for broadcasts, or `@{receiver}` for messages to one socket. */
export type Channel = string;

/** The outcome of a publish by its promise; `unwatched` if the promise was ignored. */
export type Outcome = 'accepted' | 'rejected' | 'unwatched' | 'pending';

/** The messages of one publisher on one channel, by number. Times are milliseconds since the epoch, here and below. */
export interface Sent {
	/** By the clock of the publisher's node, which a gap has to hold by. */
	readonly publishedAt: readonly number[];
	/** By the clock of the counting process, as all other times here. */
	readonly sentAt: readonly number[];
	readonly outcome: readonly Outcome[];
}

export interface Publisher {
	/** The publisher's node, which has no other publisher. */
	readonly node: string;
	readonly channels: ReadonlyMap<Channel, Sent>;
}

/** The messages of one publisher on one channel, as they arrived at one client. */
export interface Arrivals {
	readonly numbers: readonly number[];
	readonly at: readonly number[];
}

/** One client. */
export interface Receiver {
	readonly name: string;
	readonly node: string;
	/** The client's subscriptions, including broadcasts and its own direct channel. */
	readonly channels: ReadonlySet<Channel>;
	/** When the client was subscribed: it must receive every message published from then on. */
	readonly since: number;
	/** When its node stopped or was killed: it need not receive messages published after that. Default: never. */
	readonly until?: number | undefined;
	/** The client's messages, by publisher and then by channel. */
	readonly streams: ReadonlyMap<string, ReadonlyMap<Channel, Arrivals>>;
}

/** A gap that a node reported, and the time of the report. The span has to hold by the clocks of all nodes. */
export interface Gap {
	readonly node: string;
	readonly topic: string;
	readonly since: number;
	readonly until: number;
	readonly reason: string;
	readonly reportedAt: number;
}

/**
 * The impact of a fault on one topic on one node. `interrupted`: its subscription was interrupted, so there must be a
 * gap event, whether or not a message was lost. `possible`: another node may have failed to publish on it.
 * `unaffected`: a gap event is a false alarm, unless a message was lost. `lossless`: no message may be lost, reported
 * or not.
 */
export type Impact = 'interrupted' | 'possible' | 'unaffected' | 'lossless';

export interface Run {
	readonly publishers: readonly Publisher[];
	readonly receivers: readonly Receiver[];
	readonly gaps: readonly Gap[];
	/** When the fault began. Earlier messages can be lost only if they had not arrived yet. */
	readonly from: number;
	/** When the backend and the network were repaired. */
	readonly back: number;
	readonly impact: (node: string, topic: string) => Impact;
	/** How much earlier than `from` a gap may begin, in milliseconds: it begins with the last heartbeat received. */
	readonly slackBefore: number;
	/** How much later than `back` a gap may end, in milliseconds: all messages published after that must arrive. */
	readonly slackAfter: number;
	/**
	 * How far the nodes' clocks were behind and ahead of the counting process's at most, in milliseconds. A gap may
	 * begin that much earlier and end that much later, because it has to hold by all of them.
	 */
	readonly clocks: ClockSpread;
}

export interface ClockSpread {
	readonly behindMs: number;
	readonly aheadMs: number;
}

/** Returns the topic in the gap event for a lost message on this channel: `*` for broadcasts and direct messages. */
export function gapTopicOf(channel: Channel): string {
	return channel.startsWith('@') ? '*' : channel;
}
