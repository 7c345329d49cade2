import { HistoryUnavailableError } from '../errors.ts';
import type { Histories } from '../history/histories.ts';
import type { HistoryBounds } from '../history/history-store.ts';
import type { Position } from '../protocol/position.ts';
import type { MembershipNotices } from '../sockets/membership-notices.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import { DONE, quiet, toError } from '../support/promises.ts';
import { wallTime } from '../support/wall-time.ts';

export interface ServerSubscriptionsOptions {
	readonly histories: Histories | undefined;
	readonly notices: MembershipNotices;
	/** Subscribes this node to a channel. Resolves once messages that other nodes publish to it will arrive. */
	readonly subscribeNode: (channel: string) => Promise<void>;
	/** Returns whether the backend was unavailable at any time since then, by the monotonic clock. */
	readonly wasAwaySince: (time: number) => boolean;
	/** Called when the topic's history can't be read. The socket must be unsubscribed. */
	readonly onUnavailable: (socket: WebSocketConnection, topic: string, error: HistoryUnavailableError) => void;
}

/** A subscription that the backend has not confirmed, or whose history has not been read. */
interface Pending {
	/** When the server called, by the monotonic clock. */
	readonly calledAt: number;
	readonly promise: Promise<void>;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
	/** Whether the promise is rejected, because the provider was stopped. The client is told after the next start. */
	isRejected: boolean;
}

/** A subscription that takes longer than this is late: the client is told since when messages may be missing. */
const LATE_MS = 250;

/** Carries out what the server subscribes sockets to whose clients speak the protocol, and tells these clients. */
export class ServerSubscriptions {
	readonly #options: ServerSubscriptionsOptions;
	readonly #pending = new Map<WebSocketConnection, Map<string, Pending>>();

	constructor(options: ServerSubscriptionsOptions) {
		this.#options = options;
	}

	/**
	 * Called when a socket has been subscribed. Tells its client, and resolves, once messages from every node will
	 * arrive. Resolves as well if the socket is unsubscribed or closed before that.
	 *
	 * @param bounds of the topic's history; on such a topic, also makes the socket live
	 */
	add(socket: WebSocketConnection, topic: string, bounds: HistoryBounds | undefined): Promise<void> {
		const { notices, histories, subscribeNode } = this.#options;
		const earlier = this.#pending.get(socket)?.get(topic);
		if (earlier?.isRejected === false) return earlier.promise;
		const live = subscribeNode(topic);
		if (live === DONE && earlier === undefined) {
			const position = bounds === undefined ? undefined : histories?.goLive(socket, topic);
			if (bounds === undefined || position !== undefined) {
				notices.subscribed(socket, { topic, position });
				return DONE;
			}
		}
		const { promise, resolve, reject } = Promise.withResolvers<void>();
		const calledAt = earlier?.calledAt ?? performance.now();
		const pending: Pending = { calledAt, promise: quiet(promise), resolve, reject, isRejected: false };
		let ofSocket = this.#pending.get(socket);
		if (ofSocket === undefined) this.#pending.set(socket, (ofSocket = new Map()));
		ofSocket.set(topic, pending);
		void this.#carryOut(socket, topic, bounds, pending, live);
		return promise;
	}

	/** Called when the provider has started: tells the clients that could not be told before it was stopped. */
	resume(): void {
		for (const [socket, ofSocket] of this.#pending) {
			for (const [topic, { isRejected }] of ofSocket) {
				if (isRejected) void quiet(this.add(socket, topic, this.#options.histories?.boundsOf(topic)));
			}
		}
	}

	/**
	 * Called when a socket is no longer subscribed to the topic, of which its client is told nothing more.
	 *
	 * @param error with which to reject the pending call; default: it resolves
	 */
	end(socket: WebSocketConnection, topic: string, error?: Error): void {
		const ofSocket = this.#pending.get(socket);
		const pending = ofSocket?.get(topic);
		if (ofSocket === undefined || pending === undefined) return;
		ofSocket.delete(topic);
		if (ofSocket.size === 0) this.#pending.delete(socket);
		if (error === undefined) pending.resolve();
		else pending.reject(error);
	}

	/** Called when a socket has been removed. */
	removed(socket: WebSocketConnection): void {
		for (const pending of this.#pending.get(socket)?.values() ?? []) pending.resolve();
		this.#pending.delete(socket);
	}

	/** Whether the client has not been told yet that the server has subscribed it. */
	isPending(socket: WebSocketConnection, topic: string): boolean {
		return this.#pending.get(socket)?.has(topic) === true;
	}

	#isCurrent(socket: WebSocketConnection, topic: string, pending: Pending): boolean {
		return this.#pending.get(socket)?.get(topic) === pending;
	}

	/** Never rejects. */
	async #carryOut(
		socket: WebSocketConnection,
		topic: string,
		bounds: HistoryBounds | undefined,
		pending: Pending,
		live: Promise<void>,
	): Promise<void> {
		try {
			if (bounds !== undefined) await this.#goLive(socket, topic, bounds, pending, live);
			else {
				await live;
				if (this.#isCurrent(socket, topic, pending)) this.#tell(socket, topic, pending);
			}
			if (this.#isCurrent(socket, topic, pending)) this.end(socket, topic);
		} catch (thrown) {
			if (!this.#isCurrent(socket, topic, pending)) return;
			if (thrown instanceof HistoryUnavailableError) return this.#options.onUnavailable(socket, topic, thrown);
			// The socket stays subscribed, and the next start of the provider completes this.
			pending.isRejected = true;
			pending.reject(toError(thrown));
		}
	}

	/** Makes a socket live on a topic with history. */
	async #goLive(
		socket: WebSocketConnection,
		topic: string,
		bounds: HistoryBounds,
		pending: Pending,
		first: Promise<void>,
	): Promise<void> {
		const { subscribeNode, wasAwaySince } = this.#options;
		const histories = this.#options.histories as Histories;
		const onLive = (position: Position): void => {
			if (this.#isCurrent(socket, topic, pending)) this.#tell(socket, topic, pending, position);
		};
		const caughtUp = (): Promise<void> | undefined => histories.caughtUp(socket.data.socketId, topic);
		let live = first;
		for (;;) {
			// The client may be catching up at its own request. If that attempt was replaced, messages would be lost. In
			// turn, a request of the client's replaces this one, which is then repeated.
			for (let other = caughtUp(); other !== undefined; other = caughtUp()) await other;
			if (!this.#isCurrent(socket, topic, pending)) return;
			histories.subscribed(topic, bounds);
			const triedAt = performance.now();
			try {
				if ((await histories.resume(socket, topic, NO_PAST, live, onLive)) !== undefined) return;
			} catch (thrown) {
				// While the backend is away, the socket stays subscribed, as on other topics.
				if (!(thrown instanceof HistoryUnavailableError && wasAwaySince(triedAt))) throw thrown;
			}
			if (!this.#isCurrent(socket, topic, pending) || socket.readyState !== WebSocket.OPEN) return;
			live = subscribeNode(topic);
		}
	}

	#tell(socket: WebSocketConnection, topic: string, { calledAt }: Pending, position?: Position): void {
		const isLate = performance.now() - calledAt > LATE_MS || this.#options.wasAwaySince(calledAt);
		const since = isLate ? Math.floor(wallTime(calledAt)) : undefined;
		this.#options.notices.subscribed(socket, { topic, position, since });
	}
}

const NO_PAST = {};
