import type { HistorySlice, HistoryStore } from './history/history-store.ts';

/**
 * What a transport implements: carry opaque frames for topics between nodes. Everything else, batching, echo, interest, is the
 * provider's. `@orijs/websocket/testing` exports the suite that an implementation must pass.
 */
export interface Bus {
	/** Connects. Rejects if the backend can't be reached in time. May be called again after `stop`. */
	start(handlers: BusHandlers): Promise<void>;

	/**
	 * Lets go of everything it opened. Idempotent; after it resolves no handler is called. A `start` still on its way rejects.
	 */
	stop(): Promise<void>;

	/**
	 * Resolves once frames published to these topics, by any node, will be delivered. A topic is asked for once until it is
	 * unsubscribed. Calls take effect in the order they were made, together with those of `unsubscribe`. While the backend is
	 * away the promise waits; it rejects only when the backend refuses, and then for all of the topics.
	 */
	subscribe(topics: readonly string[]): Promise<void>;

	/** Ends what `subscribe` began. Resolves once no more frames for these topics will be delivered. */
	unsubscribe(topics: readonly string[]): Promise<void>;

	/**
	 * Resolves when the backend accepted the frame, with the number of nodes it went to (this one counted, if subscribed) where
	 * the backend can tell. Frames of one topic keep the order of the calls. A frame that was not accepted rejects and is never
	 * sent again. The bus does not keep or change `frame` once the promise is settled.
	 */
	publish(topic: string, frame: Uint8Array): Promise<number | undefined>;

	/** Where connections can die without a sign of it. A transport without it is trusted. */
	readonly liveness?: BusLiveness;

	/** Where messages can be kept. A transport without it has only topics without history. */
	readonly history?: HistoryStore;
}

/** How the provider finds out whether frames really pass. A shard is one way that frames take, connection by connection. */
export interface BusLiveness {
	/** A channel for each shard, which frames for it take like any other. The place in the list is the shard's number. */
	heartbeatChannels(): readonly string[];
	/** The number of the shard that a topic's frames take. */
	shardOf(topic: string): number;
	/** The shard was found dead in one direction: drop that connection, with what is under way on it, and make a new one. */
	reconnect(shard: string, direction: 'publish' | 'subscribe'): void;
	/** Another node fell silent. It may have died, or this one may be connected to the wrong server: resolves with whether it is not. */
	verifyPrimary(): Promise<boolean>;
}

/** Where something went wrong in the background. */
export type BusStage = 'connect' | 'subscribe' | 'publish' | 'deliver' | 'history';

/** Whether messages pass between nodes, with the reason when they may not. */
export type BusStatus = { readonly state: 'ready' } | { readonly state: 'degraded'; readonly reason: string };

/** What a bus calls. Handlers return at once and never throw. */
export interface BusHandlers {
	/** A frame arrived, whoever published it, this node included. The bus gives the buffer away. */
	deliver(topic: string, frame: Uint8Array): void;
	/** Messages were appended to a topic's history, whoever did it, this node included. The slices of one topic come in the order of their offsets. */
	appended(topic: string, slice: HistorySlice): void;
	/** The connection to the backend changed for the better or worse. */
	status(status: BusStatus): void;
	/**
	 * Frames for these topics may have been missed from `since` (milliseconds since the epoch) until now, when they are subscribed
	 * again. Called once per interruption, at its end, before anything that waited for it resolves.
	 */
	interrupted(topics: readonly string[] | 'all', since: number, reason: string): void;
	/**
	 * Frames that the backend accepted since then (milliseconds since the epoch) may have reached nobody: they went to a server that the
	 * other nodes had left.
	 */
	undelivered(since: number): void;
	/**
	 * A topic that was subscribed could not be subscribed again: the backend refuses it now. Frames for it may be missed from `since` on. The bus
	 * lets go of it; it is asked for anew later.
	 */
	refused(topic: string, since: number, error: Error): void;
	/** Something failed that no caller is waiting for. */
	error(error: Error, stage: BusStage): void;
}
