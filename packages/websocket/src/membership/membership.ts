import { HistoryUnavailableError, InvalidOptionError, type SubscribeError, UnknownSocketError } from '../errors.ts';
import type { Recovery, ResumeFrom } from '../history/catch-up.ts';
import type { Histories } from '../history/histories.ts';
import type { HistoryBounds } from '../history/history-store.ts';
import type { ChangedBy, MembershipListener, SubscribeOptions, Unsubscription } from '../provider-contract.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import type { MembershipNotices } from '../sockets/membership-notices.ts';
import type { Registry } from '../sockets/registry.ts';
import { isSpeaker, type WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { FailureLog } from '../support/failure-log.ts';
import { DONE, quiet } from '../support/promises.ts';
import { show } from '../support/show.ts';
import { directChannel } from '../wire/channel-names.ts';
import { PreparedTopics } from './prepared-topics.ts';
import { ServerSubscriptions } from './server-subscriptions.ts';

export interface MembershipOptions {
	readonly registry: Registry<WebSocketConnection>;
	readonly local: LocalFanout;
	readonly notices: MembershipNotices;
	readonly histories: Histories | undefined;
	/** Subscribes this node to a channel. Resolves once messages that other nodes publish to it will arrive. */
	readonly subscribeNode: (channel: string) => Promise<void>;
	/**
	 * Called when no socket of this node needs the channel any longer. The channel stays subscribed for `graceMs`;
	 * default: the provider's grace period.
	 */
	readonly unsubscribeNode: (channel: string, graceMs?: number) => void;
	/** Returns whether the backend was unavailable at any time since then, by the monotonic clock. */
	readonly wasAwaySince: (time: number) => boolean;
	/** Is told which sockets are in which topics; undefined if presence is not kept. */
	readonly presence: MemberPresence | undefined;
	readonly failures: FailureLog;
}

export interface MemberPresence {
	subscribed(socket: WebSocketConnection, topic: string): void;
	unsubscribed(socket: WebSocketConnection, topic: string): void;
	/** Called when a socket has left all its topics, which its data still lists. */
	removed(socket: WebSocketConnection): void;
}

/**
 * Adds sockets and subscribes them to topics. Keeps the registry, Bun, the histories, the backend and the clients in
 * sync.
 */
export class Membership {
	readonly #options: MembershipOptions;
	readonly #byServer: ServerSubscriptions;
	readonly #prepared = new PreparedTopics();
	/** Replaced when it changes, so that a listener can be removed while they are called. */
	#listeners: readonly MembershipListener[] = [];

	constructor(options: MembershipOptions) {
		this.#options = options;
		const onUnavailable = this.#unavailable.bind(this);
		this.#byServer = new ServerSubscriptions({ ...options, onUnavailable });
	}

	/** See {@link WebSocketProvider.onMembership}. */
	onChange(listener: MembershipListener): () => void {
		const { subscribed, unsubscribed } = (listener ?? {}) as Partial<MembershipListener>;
		if (typeof subscribed !== 'function' || typeof unsubscribed !== 'function') {
			throw new InvalidOptionError(
				`onMembership() takes an object with the functions subscribed and unsubscribed, not ${show(listener)}`,
			);
		}
		this.#listeners = [...this.#listeners, listener];
		return () => (this.#listeners = this.#listeners.filter((each) => each !== listener));
	}

	/** Adds a valid socket and subscribes it to its `data.topics`. Resolves when every node can reach it. */
	add(socket: WebSocketConnection): Promise<void> {
		const { registry, subscribeNode, failures } = this.#options;
		const { socketId } = socket.data;
		const topics = registry.get(socketId) === undefined ? registry.add(socket) : NONE;
		const reachable = subscribeNode(directChannel(socketId));
		if (topics.length === 0) return reachable;
		const subscribed = topics.map((topic) => this.subscribe(socket, topic));
		return failures.watch(Promise.all([reachable, ...subscribed]).then(() => {}));
	}

	/** Removes a socket from all its topics. Returns whether it was connected to this node. */
	remove(socketId: string): boolean {
		const { registry, local, notices, histories, presence, unsubscribeNode } = this.#options;
		const socket = registry.get(socketId);
		if (socket === undefined) return false;
		if (socket.readyState === WebSocket.OPEN) {
			for (const topic of socket.data.topics) local.unsubscribe(socket, topic);
		}
		const emptied = registry.remove(socketId);
		for (const topic of emptied) this.#unneeded(topic);
		unsubscribeNode(directChannel(socketId), 0);
		this.#byServer.removed(socket);
		notices.removed(socket);
		if (histories !== undefined) {
			for (const topic of socket.data.topics) histories.unsubscribed(socket, topic);
			for (const topic of emptied) histories.emptied(topic);
		}
		presence?.removed(socket);
		return true;
	}

	/**
	 * Subscribes a socket to a topic. Resolves once messages from every node will arrive.
	 *
	 * @throws {UnknownSocketError} the socket is closed
	 * @throws {HistoryUnavailableError} the topic's history can't be read; the socket is unsubscribed
	 */
	subscribe(socket: WebSocketConnection, topic: string, options?: SubscribeOptions): Promise<void> {
		const { registry, local, histories, subscribeNode, failures } = this.#options;
		const by = options?.by ?? 'server';
		const isTold = by === 'server' && isSpeaker(socket);
		const bounds = histories?.boundsOf(topic);
		const isNew = registry.subscribe(socket, topic);
		// On a topic with history, a socket whose client is told becomes live later, where its position is known.
		const isOpen =
			isTold && bounds !== undefined ? socket.readyState === WebSocket.OPEN : !isNew || local.subscribe(socket, topic);
		if (!isOpen) {
			if (isNew) registry.unsubscribe(socket, topic);
			return failures.refuse(new UnknownSocketError(socket.data.socketId));
		}
		if (bounds !== undefined) {
			histories?.subscribed(topic, bounds);
			if (options?.past === false) {
				if (isNew && isSpeaker(socket)) histories?.floors.add(socket, topic);
			} else if (by === 'server') histories?.floors.delete(socket, topic);
		}
		let subscribed: Promise<void>;
		if (isTold) subscribed = this.#byServer.add(socket, topic, bounds);
		else if (bounds === undefined) subscribed = subscribeNode(topic);
		else subscribed = this.#untilLive(socket, topic, histories as Histories);
		if (isNew) this.#options.presence?.subscribed(socket, topic);
		if (isNew || by === 'server') this.#subscribed(socket, topic, by, isNew);
		// Without history, the only failures are those of the backend, which are logged anyway.
		return isTold && bounds !== undefined && subscribed !== DONE ? failures.watch(subscribed) : subscribed;
	}

	/** Resolves once a topic with history is delivered to a socket that has been subscribed in Bun. */
	#untilLive(socket: WebSocketConnection, topic: string, histories: Histories): Promise<void> {
		const { subscribeNode, failures } = this.#options;
		const live = async (): Promise<void> => {
			try {
				await subscribeNode(topic);
				await histories.ready(topic);
			} catch (error) {
				if (error instanceof HistoryUnavailableError) this.#unreadable(socket, topic, false, error);
				throw error;
			}
			const cursor = histories.cursorOf(topic);
			if (cursor !== undefined) histories.floors.live(socket, topic, cursor);
		};
		return failures.watch(live());
	}

	/** See {@link WebSocketProvider.resume}. */
	resume(
		socket: WebSocketConnection,
		topic: string,
		bounds: HistoryBounds,
		from: ResumeFrom,
	): Promise<Recovery | undefined> {
		const { registry, subscribeNode } = this.#options;
		const histories = this.#options.histories as Histories;
		const isNew = registry.subscribe(socket, topic);
		histories.subscribed(topic, bounds);
		const recovery = histories.resume(socket, topic, from, subscribeNode(topic));
		if (isNew) {
			this.#options.presence?.subscribed(socket, topic);
			this.#subscribed(socket, topic, 'client', true);
		}
		return recovery.catch((error: unknown) => {
			if (error instanceof HistoryUnavailableError) this.#unreadable(socket, topic, !isNew, error);
			throw error;
		});
	}

	/**
	 * Called when what a client has asked for needs a history that can't be read. A socket that was in the topic before
	 * stays in it, and is live again. One that the server is subscribing as well is left to that.
	 */
	#unreadable(socket: WebSocketConnection, topic: string, wasIn: boolean, error: HistoryUnavailableError): void {
		if (this.#byServer.isPending(socket, topic)) return;
		if (wasIn && this.#options.histories?.goLive(socket, topic) !== undefined) return;
		this.#unavailable(socket, topic, error);
	}

	#subscribed(socket: WebSocketConnection, topic: string, by: ChangedBy, isNew: boolean): void {
		for (const listener of this.#listeners) listener.subscribed(socket, topic, by, isNew);
	}

	unsubscribe(socket: WebSocketConnection, topic: string, why: Unsubscription): void {
		if (this.#leave(socket, topic, why)) this.#unneeded(topic);
	}

	/** Called when no socket of this node is in the topic any longer. */
	#unneeded(topic: string): void {
		if (!this.#prepared.has(topic)) this.#options.unsubscribeNode(topic);
	}

	/**
	 * Removes a socket from the members of a topic, if it is one. Returns whether the topic is now empty.
	 *
	 * @param error with which to reject a pending subscription; default: it resolves
	 */
	#leave(socket: WebSocketConnection, topic: string, why: Unsubscription, error?: Error): boolean {
		const { registry, local, notices, histories, presence } = this.#options;
		if (!socket.data.topics.has(topic)) return false;
		local.unsubscribe(socket, topic);
		this.#byServer.end(socket, topic, error);
		histories?.unsubscribed(socket, topic, error);
		const isEmpty = registry.unsubscribe(socket, topic);
		if (isEmpty) histories?.emptied(topic);
		presence?.unsubscribed(socket, topic);
		const { by, code, message } = why;
		if (by === 'server' && isSpeaker(socket)) notices.unsubscribed(socket, { topic, code, message });
		for (const listener of this.#listeners) listener.unsubscribed(socket, topic, why);
		return isEmpty;
	}

	/** Unsubscribes a socket from a topic whose history can't be read. */
	#unavailable(socket: WebSocketConnection, topic: string, error: HistoryUnavailableError): void {
		const why = unavailable(`The history of ${topic} can't be read at the moment`);
		if (this.#leave(socket, topic, why, error)) this.#unneeded(topic);
	}

	/** Unsubscribes all sockets from a channel that the backend refused. */
	rollBack(channel: string, error: SubscribeError): void {
		const why = unavailable(`The backend has refused ${channel}`);
		for (const socket of Array.from(this.#options.registry.members(channel))) this.#leave(socket, channel, why, error);
	}

	/** See {@link WebSocketProvider.prepare}. */
	prepare(topic: string): () => void {
		const { registry, subscribeNode } = this.#options;
		this.#prepared.add(topic);
		void quiet(subscribeNode(topic));
		let isPrepared = true;
		return () => {
			if (!isPrepared) return;
			isPrepared = false;
			if (this.#prepared.remove(topic) && registry.memberCount(topic) === 0) this.#unneeded(topic);
		};
	}

	/** Called when the provider has started. */
	started(): void {
		this.#byServer.resume();
	}

	/** Yields the channels that this node's sockets need. */
	*channels(): Generator<string> {
		yield* this.#options.registry.topics();
		yield* this.#prepared.topics();
		for (const socket of this.#options.registry.sockets()) yield directChannel(socket.data.socketId);
	}
}

const NONE: readonly string[] = [];

function unavailable(message: string): Unsubscription {
	return { by: 'server', code: 'unavailable', message };
}
