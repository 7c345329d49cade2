import type { HistorySlice, HistoryStore } from './history/history-store.ts';

/**
 * What a transport implements: carrying opaque frames between nodes, by channel. Batching, echo and interest are the
 * provider's. A channel is a topic, or an internal name that no topic can have: `*`, `@id`, `!…`.
 * `@orijs/websocket/testing` exports the suite that an implementation must pass.
 */
export interface Bus {
	/** Connects. Rejects if the backend can't be reached in time. May be called again after `stop`. */
	start(handlers: BusHandlers): Promise<void>;

	/** Releases everything it opened. Idempotent; once it resolves no handler is called. A pending `start` rejects. */
	stop(): Promise<void>;

	/**
	 * Resolves once frames published to these channels, by any node, will be delivered. Called once per channel until
	 * that channel is unsubscribed. Calls to `subscribe` and `unsubscribe` take effect in the order in which they were
	 * made. While the backend is away the promise stays pending; it rejects only when the backend refuses, and then for
	 * all of the channels.
	 */
	subscribe(channels: readonly string[]): Promise<void>;

	/** Undoes `subscribe`. Resolves once no more frames for these channels will be delivered. */
	unsubscribe(channels: readonly string[]): Promise<void>;

	/**
	 * Resolves when the backend has accepted the frame, with the number of nodes it went to (this one included, if
	 * subscribed) where the backend can tell. Frames of one channel keep the order of the calls. A frame that was not
	 * accepted rejects and is never sent again. The bus must not keep or change `frame` once the promise is settled.
	 */
	publish(channel: string, frame: Uint8Array): Promise<number | undefined>;

	/** For transports whose connections can die silently. A transport without it is trusted. */
	readonly liveness?: BusLiveness;

	/** For transports that can store messages. Without it no topic has history. */
	readonly history?: HistoryStore;
}

/**
 * How the provider finds out whether frames really get through. A shard is a server of the backend with this node's
 * connections to it; a backend of one server is shard 0.
 */
export interface BusLiveness {
	/**
	 * One channel per shard, which carries the heartbeats of that shard. Its index in the list is the shard's number.
	 */
	heartbeatChannels(): readonly string[];
	/** The number of the shard that carries a channel's frames. */
	shardOf(channel: string): number;
	/** The shard's connection for one direction is dead: drop it, with everything pending on it, and make a new one. */
	reconnect(heartbeatChannel: string, direction: 'publish' | 'subscribe'): void;
	/**
	 * Called when another node fell silent: it may have died, or this node may be connected to the wrong server. Checks
	 * for the latter, and reconnects if so. Never rejects.
	 */
	verifyPrimary(): Promise<void>;
}

/** Where something went wrong in the background. */
export type BusStage = 'connect' | 'subscribe' | 'publish' | 'deliver' | 'history';

/** Whether messages pass between nodes, with the reason when they may not. */
export type BusStatus = { readonly state: 'ready' } | { readonly state: 'degraded'; readonly reason: string };

/** What a bus calls. Handlers return at once and never throw. */
export interface BusHandlers {
	/** A frame arrived, from any node, this one included. The bus gives the buffer away. */
	deliver(channel: string, frame: Uint8Array): void;
	/**
	 * Messages were appended to a topic's history, by any node, this one included. The slices of one topic arrive in the
	 * order of their offsets.
	 */
	appended(topic: string, slice: HistorySlice): void;
	/** The connection to the backend became better or worse. */
	status(status: BusStatus): void;
	/**
	 * Frames for these channels may have been missed from `since` (milliseconds since the epoch) until now; they are
	 * resubscribed. Called once per interruption, at its end, before any promise that waited for it resolves.
	 */
	interrupted(channels: readonly string[] | 'all', since: number, reason: string): void;
	/**
	 * Frames that the backend accepted from `since` (milliseconds since the epoch) until now may have reached no other
	 * node: they went to a server that the other nodes had left.
	 */
	undelivered(since: number): void;
	/**
	 * The backend refused to resubscribe a channel. Frames for it may be missed from `since`
	 * on. The bus forgets the channel; the provider will subscribe to it again later.
	 */
	refused(channel: string, since: number, error: Error): void;
	/** Something failed in the background. */
	error(error: Error, stage: BusStage): void;
}
