import type { HistorySlice, HistoryStore } from './history/history-store.ts';
import type { PresenceStore } from './presence/presence-store.ts';

/**
 * The contract of a transport, which carries opaque frames between nodes, by channel. The provider takes care of
 * batching, ignoring its own frames, and subscribing only to the channels that it needs. A channel is a topic, or an
 * internal name that no topic can have: `*`, `@id`, `!…`. `@orijs/websocket/testing` exports the suite that every
 * implementation must pass.
 */
export interface Bus {
	/** Connects. Rejects if the backend can't be reached in time. Can be called again after `stop`. */
	start(handlers: BusHandlers): Promise<void>;

	/**
	 * Releases everything that `start` opened; a pending `start` rejects. Idempotent. Once it has resolved, no handler
	 * is called.
	 */
	stop(): Promise<void>;

	/**
	 * Subscribes to channels that are not subscribed yet. Resolves once frames that any node publishes to them will be
	 * delivered. While the backend is unavailable, the promise stays pending. It rejects only if the backend refuses a
	 * channel; then none of the channels counts as subscribed. Calls to `subscribe` and `unsubscribe` take effect in the
	 * order in which they are made.
	 */
	subscribe(channels: readonly string[]): Promise<void>;

	/** Undoes `subscribe`. Resolves once no more frames for these channels will be delivered. */
	unsubscribe(channels: readonly string[]): Promise<void>;

	/**
	 * Publishes a frame. Resolves when the backend has accepted it, with the number of nodes that it was sent to (this
	 * one included, if subscribed), or undefined if the backend can't tell. Frames on one channel are delivered in the
	 * order of the calls. If a frame is not accepted, the promise rejects, and the frame is never sent again. The bus
	 * must not keep or change `frame` once the promise has settled.
	 */
	publish(channel: string, frame: Uint8Array): Promise<number | undefined>;

	/**
	 * Present if the transport's connections can die silently. Without it, the provider trusts them: it can't detect
	 * losses that the bus does not report, and logs that when it starts.
	 */
	readonly liveness?: BusLiveness | undefined;

	/**
	 * Distinguishes the channels of this bus from those of other applications at the backend. Known once `start` has
	 * resolved. It is part of what nodes sign with a `secret`, so that frames of one namespace are not accepted in
	 * another. Default: none.
	 */
	readonly namespace?: string | undefined;

	/** Present if the transport can store messages. Without it, no topic can have history. */
	readonly history?: HistoryStore | undefined;

	/** Present if the transport can keep who is present. Without it, no topic can have presence. */
	readonly presence?: PresenceStore | undefined;
}

/**
 * The means by which the provider checks whether frames really get through. A shard is one server of the backend, with
 * this node's connections to it. If the backend is a single server, that is shard 0.
 */
export interface BusLiveness {
	/** Returns the channel for each shard's heartbeats. A channel's index in the list is the shard's number. */
	heartbeatChannels(): readonly string[];
	/** Returns the number of the shard that carries a channel's frames. */
	shardOf(channel: string): number;
	/**
	 * Returns whether an interruption of a shard's subscriptions has been noticed and not been reported by `interrupted`
	 * yet. Beats that arrive meanwhile come over the new subscriptions, and prove nothing about earlier messages.
	 */
	isInterrupted(heartbeatChannel: string): boolean;
	/** Replaces a dead connection of a shard, for one direction, and drops everything that is pending on it. */
	reconnect(heartbeatChannel: string, direction: 'publish' | 'subscribe'): void;
	/**
	 * Checks whether this node is connected to the right server, and reconnects if not. Called when the heartbeats of
	 * another node no longer arrive: that node has died, or the two nodes are connected to different servers. Never
	 * rejects.
	 */
	verifyPrimary(): Promise<void>;
	/**
	 * Returns a number for the connection over which frames are now published to a shard, which no other connection has
	 * had. As long as it stays the same, everything is published to the same server. Undefined if no connection is
	 * ready, or the bus can't tell.
	 */
	connection?(heartbeatChannel: string): number | undefined;
	/**
	 * Present if the backend can collect beats. Undefined if it can't, or refuses to. May change while the bus runs.
	 */
	readonly beats?: BeatStore | undefined;
}

/**
 * Collects the beats of all nodes at the backend, by shard, and hands them on in digests. A beat is one step on the
 * server that carries the shard: the server records it with its own time, publishes its frame and, if digests are due,
 * publishes them to the heartbeat channel (see `wire/digest.ts`). So a digest tells a node what the very server that
 * its subscriptions lead to has accepted from each other node. What this node has received of that, digests don't tell:
 * the bus must report every interruption.
 */
export interface BeatStore {
	/** Returns the channel of one node's own beats. The shard of the heartbeat channel carries it. */
	ownChannel(heartbeatChannel: string, origin: number): string;

	/**
	 * Records a beat and publishes its frame, in one step. Resolves and rejects like {@link Bus.publish}. Everything
	 * that this node has published to the shard by earlier calls is published before.
	 *
	 * Recording: the node's *run* is how many consecutive numbers end with this one. It grows by one if the number is
	 * the recorded one plus 1, stays the same if it is the recorded one, and is 1 otherwise. Without a record, it is
	 * what the node gives. A beat whose incarnation is lower than the recorded one comes late from a connection that has
	 * failed: it is published, but not recorded.
	 *
	 * Digests, if they are wanted: of all recorded nodes, if the last one of all is `digestEveryMs` old or from the
	 * future; otherwise of single nodes: of this one, if it had no record, skipped a number, or had not renewed its
	 * record for `silentAfterMs`; and of each node that has not renewed its record for that long, once. They are
	 * published before the frame.
	 */
	beat(heartbeatChannel: string, beat: StoredBeat): Promise<void>;

	/**
	 * Like {@link beat}, but for the last beat of a node: publishes a digest of this node alone, if digests are wanted,
	 * then the frame, and removes the node's record and what it said of itself.
	 */
	remove(heartbeatChannel: string, last: StoredBeat): Promise<void>;

	/** Returns what the nodes have said of themselves, on the first shard. */
	list(): Promise<readonly StoredNode[]>;

	/** Sets what this node says of itself. It is stored with beats, from the next one on, whenever it is missing. */
	describe(text: string): void;
}

/** A beat on its way to a {@link BeatStore}. */
export interface StoredBeat {
	readonly origin: number;
	/** The number of this beat: see `Beat` in `wire/frame.ts`. */
	readonly number: number;
	/** Grows each time the node's connection to the shard fails. */
	readonly incarnation: number;
	/**
	 * How many consecutive numbers that end with this one were published over one connection, 1 if that is not known. It
	 * is the node's run if the server has lost its record.
	 */
	readonly run: number;
	/** The channel that `frame` is published to: the heartbeat channel, or the node's own. */
	readonly channel: string;
	readonly frame: Uint8Array;
	/** The node's entry in digests, without what the server adds. */
	readonly entry: Uint8Array;
	/** The start of each digest frame that this beat causes. */
	readonly digestHeader: Uint8Array;
	/** Whether digests are wanted. */
	readonly isCollected: boolean;
	/** The time between digests of all nodes, in milliseconds. */
	readonly digestEveryMs: number;
	/** A node that has not renewed its record for this long, in milliseconds, is silent. */
	readonly silentAfterMs: number;
	/** How long the record of a silent node is kept, and part of digests of all nodes, in milliseconds. */
	readonly forgetAfterMs: number;
}

/** What a node has said of itself. */
export interface StoredNode {
	readonly origin: number;
	readonly text: string;
	/** The time since its last beat, in milliseconds. */
	readonly ageMs: number;
}

/** The kind of operation that failed in the background. */
export type BusStage = 'connect' | 'subscribe' | 'publish' | 'deliver' | 'history' | 'presence';

/** Whether messages get through between nodes and, if they may not, the reason. */
export type BusStatus = { readonly state: 'ready' } | { readonly state: 'degraded'; readonly reason: string };

/** The callbacks through which a bus reports to the provider. They return immediately and never throw. */
export interface BusHandlers {
	/**
	 * Called when a frame has arrived, published by any node, this one included. The bus must not use the buffer
	 * afterwards.
	 */
	deliver(channel: string, frame: Uint8Array): void;
	/**
	 * Called when any node, this one included, has appended messages to a topic's history. The slices of one topic must
	 * be passed in the order of their offsets.
	 */
	appended(topic: string, slice: HistorySlice): void;
	/** Called when cross-node delivery has started or stopped working. */
	status(status: BusStatus): void;
	/**
	 * Called when frames on these channels may have been missed from `since` (milliseconds since the epoch) until now.
	 * Called once for each interruption, when it is over and the channels are subscribed again, but before any promise
	 * that waited for its end resolves. From a bus without `liveness`, `since` must not be later than the first missed
	 * frame. A bus with `liveness` can pass the time at which it noticed the interruption, because the provider's
	 * heartbeats show how much earlier frames may have been missed.
	 */
	interrupted(channels: readonly string[] | 'all', since: number, reason: string): void;
	/**
	 * Called when frames that the backend accepted from `since` (milliseconds since the epoch) until now may not have
	 * reached any other node, because they went to a server that the other nodes had left.
	 */
	undelivered(since: number): void;
	/**
	 * Called when the bus has connected to a server that may be the one it lost at `lostAt` (milliseconds since the
	 * epoch), restarted, or another one, which the other nodes have used all along. In either case, what the earlier one
	 * stored may be missing on this one. Called before the bus is ready.
	 */
	replaced(lostAt: number): void;
	/**
	 * Called when the backend has refused to resubscribe a channel. Its frames may be missing from `since` (milliseconds
	 * since the epoch) on. The bus forgets the channel; the provider will subscribe to it again later.
	 */
	refused(channel: string, since: number, error: Error): void;
	/** Called when an operation has failed in the background. */
	error(error: Error, stage: BusStage): void;
}
