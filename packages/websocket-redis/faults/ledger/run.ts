/** What a run leaves behind: everything that was said, everything that was heard, everything that was reported. */

/** A topic, `*` for broadcasts, or `@{receiver}` for messages to one socket. */
export type Channel = string;

/** What became of a publish, as its promise said; nobody awaits the promise of one that is `unwatched`. */
export type Outcome = 'accepted' | 'rejected' | 'unwatched' | 'pending';

/** The messages of one publisher on one channel. A message's number is its place. Times are `Date.now()`, here and below. */
export interface Sent {
	readonly publishedAt: readonly number[];
	readonly outcome: readonly Outcome[];
}

export interface Publisher {
	/** The node, as there is one publisher on each. */
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
	/** What it was subscribed to, its own direct channel and broadcasts included. */
	readonly channels: ReadonlySet<Channel>;
	/** From then on it had to get everything. */
	readonly since: number;
	/** By publisher, then by channel. */
	readonly streams: ReadonlyMap<string, ReadonlyMap<Channel, Arrivals>>;
}

/** A gap that a node reported, and when it did. */
export interface Gap {
	readonly node: string;
	readonly topic: string;
	readonly since: number;
	readonly until: number;
	readonly reason: string;
	readonly reportedAt: number;
}

/**
 * How a fault concerns one topic on one node. `interrupted`: its subscription was cut, so there must be a gap event, loss or
 * not. `possible`: another node may have failed to publish on it. `untouched`: a gap event would be a false alarm, unless something was
 * lost all the same. `whole`: nothing may be lost, reported or not.
 */
export type Exposure = 'interrupted' | 'possible' | 'untouched' | 'whole';

export interface Run {
	readonly publishers: readonly Publisher[];
	readonly receivers: readonly Receiver[];
	readonly gaps: readonly Gap[];
	/** The fault began; nothing that was published earlier can be lost to it, but for what was still on its way. */
	readonly from: number;
	/** What was broken works again, as far as the backend and the network are concerned. */
	readonly back: number;
	readonly exposure: (node: string, topic: string) => Exposure;
	/** How much earlier than `from` a gap may begin, in milliseconds: a loss is noticed by what should have been heard since. */
	readonly slackBefore: number;
	/** How much later than `back` a gap may end, in milliseconds: all should be heard again by then. */
	readonly slackAfter: number;
}

/** Under which topic the loss of a message on this channel is reported: `*` covers broadcasts and direct messages. */
export function gapTopicOf(channel: Channel): string {
	return channel.startsWith('@') ? '*' : channel;
}
