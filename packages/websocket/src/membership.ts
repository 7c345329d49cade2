import { HistoryUnavailableError, UnknownSocketError } from './errors.ts';
import type { Histories } from './history/histories.ts';
import type { LocalFanout } from './sockets/local-fanout.ts';
import type { Registry } from './sockets/registry.ts';
import type { WebSocketConnection } from './sockets/websocket-connection.ts';
import type { FailureLog } from './support/failure-log.ts';
import { directChannel } from './wire/channel-names.ts';

export interface MembershipOptions {
	readonly registry: Registry<WebSocketConnection>;
	readonly local: LocalFanout;
	readonly histories: Histories | undefined;
	/** Subscribes this node to a channel. Resolves once messages that other nodes publish to it will arrive. */
	readonly subscribeNode: (channel: string) => Promise<void>;
	/**
	 * Called when no socket of this node needs the channel any longer. The channel stays subscribed for `graceMs`;
	 * default: the provider's grace period.
	 */
	readonly unsubscribeNode: (channel: string, graceMs?: number) => void;
	readonly failures: FailureLog;
}

/** Adds sockets and subscribes them to topics. Keeps the registry, Bun, the histories and the backend in sync. */
export class Membership {
	readonly #options: MembershipOptions;

	constructor(options: MembershipOptions) {
		this.#options = options;
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
		const { registry, local, histories, unsubscribeNode } = this.#options;
		const socket = registry.get(socketId);
		if (socket === undefined) return false;
		if (socket.readyState === WebSocket.OPEN) {
			for (const topic of socket.data.topics) local.unsubscribe(socket, topic);
		}
		const emptied = registry.remove(socketId);
		for (const topic of emptied) unsubscribeNode(topic);
		unsubscribeNode(directChannel(socketId), 0);
		if (histories !== undefined) {
			for (const topic of socket.data.topics) histories.unsubscribed(socketId, topic);
			for (const topic of emptied) histories.emptied(topic);
		}
		return true;
	}

	/**
	 * Subscribes a socket to a topic. Resolves once messages from every node will arrive.
	 *
	 * @throws {UnknownSocketError} the socket is closed
	 * @throws {HistoryUnavailableError} the topic's history can't be read; the socket is unsubscribed
	 */
	subscribe(socket: WebSocketConnection, topic: string): Promise<void> {
		const { registry, local, histories, subscribeNode, failures } = this.#options;
		if (registry.subscribe(socket, topic) && !local.subscribe(socket, topic)) {
			registry.unsubscribe(socket, topic);
			return failures.refuse(new UnknownSocketError(socket.data.socketId));
		}
		const bounds = histories?.boundsOf(topic);
		if (bounds === undefined) return subscribeNode(topic);
		histories?.subscribed(topic, bounds);
		return failures.watch(
			subscribeNode(topic)
				.then(() => histories?.ready(topic))
				.catch((error: unknown) => {
					if (error instanceof HistoryUnavailableError) this.unsubscribe(socket.data.socketId, topic);
					throw error;
				}),
		);
	}

	unsubscribe(socketId: string, topic: string): void {
		const { registry, local, histories, unsubscribeNode } = this.#options;
		const socket = registry.get(socketId);
		if (socket === undefined || !socket.data.topics.has(topic)) return;
		local.unsubscribe(socket, topic);
		histories?.unsubscribed(socketId, topic);
		if (registry.unsubscribe(socket, topic)) {
			unsubscribeNode(topic);
			histories?.emptied(topic);
		}
	}

	/** Unsubscribes all sockets from a channel that the backend refused. */
	rollBack(channel: string): void {
		const { registry, local, histories } = this.#options;
		for (const socket of registry.members(channel)) {
			local.unsubscribe(socket, channel);
			histories?.unsubscribed(socket.data.socketId, channel);
			if (registry.unsubscribe(socket, channel)) histories?.emptied(channel);
		}
	}

	/** Yields the channels that this node's sockets need. */
	*channels(): Generator<string> {
		yield* this.#options.registry.topics();
		for (const socket of this.#options.registry.sockets()) yield directChannel(socket.data.socketId);
	}
}

const NONE: readonly string[] = [];
