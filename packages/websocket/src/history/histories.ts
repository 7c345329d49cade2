import { encodePositionNotice } from '../protocol/built-in.ts';
import type { Position } from '../protocol/position.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import type { Registry } from '../sockets/registry.ts';
import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import { AppendQueue } from './append-queue.ts';
import { CatchUpAttempts } from './catch-up-attempts.ts';
import { catchUp, type Recovery, type ResumeFrom } from './catch-up.ts';
import { frameOf } from './framing.ts';
import { FirstPositions } from './first-positions.ts';
import { Floors } from './floors.ts';
import { type HistoryPage, type PageQuery, readPage } from './history-page.ts';
import type { HistoryPatterns } from './history-rules.ts';
import type { HistoryBounds, HistoryContent, HistorySlice, HistoryStore } from './history-store.ts';
import type { MemoryHistory } from './memory-history.ts';
import { type Appended, type Search, searchAppends } from './missing-appends.ts';
import { RecentAppends } from './recent-appends.ts';
import { Renewal } from './renewal.ts';
import { type EncodedPage, SharedPages } from './shared-pages.ts';
import { SocketReader } from './socket-reader.ts';
import { TopicHistory } from './topic-history.ts';
import { UnreadableTopics } from './unreadable-topics.ts';

export interface HistoriesOptions {
	readonly patterns: HistoryPatterns;
	readonly store: HistoryStore;
	/** The store, if other nodes don't share it. */
	readonly ownStore: MemoryHistory | undefined;
	readonly registry: Registry<WebSocketConnection>;
	readonly local: LocalFanout;
	/**
	 * Called when messages published to a topic from `since` (milliseconds since the epoch) until now are lost for good.
	 */
	readonly onLost: (topic: string, since: number, reason: string) => void;
	/** Called when the store could not be read. The read is retried. */
	readonly onError: (error: Error) => void;
	/** Called when the first topic becomes unreadable, and when the last one can be read again. */
	readonly onUnreadable: (areThereAny: boolean) => void;
	/** Called when a message could not be stored, and its `publish` rejected. */
	readonly onRejected: (error: Error) => void;
}

/**
 * Manages the topics with history that this node's sockets are subscribed to: appends messages, delivers them in order,
 * and sends sockets the messages that they missed.
 */
export class Histories {
	readonly #options: HistoriesOptions;
	readonly #queue: AppendQueue | undefined;
	readonly #topics = new Map<string, TopicHistory>();
	readonly #unreadable: UnreadableTopics;
	readonly #recentAppends = new RecentAppends();
	readonly #renewal = new Renewal(this.#topics);
	readonly #firstPositions: FirstPositions;
	readonly #pages: SharedPages;
	/** Sockets that are subscribed to a topic but not live yet. */
	readonly #attempts = new CatchUpAttempts();
	/** Of sockets that were subscribed without the past. */
	readonly floors: Floors = new Floors();
	#isClosed = false;

	constructor(options: HistoriesOptions) {
		this.#options = options;
		this.#firstPositions = new FirstPositions(options.local);
		const { store, onUnreadable: onChange, onError } = options;
		this.#pages = new SharedPages({ store, onError });
		const read = (topic: string): Promise<unknown> => {
			const bounds = this.boundsOf(topic);
			return bounds === undefined ? Promise.resolve() : store.read(topic, { limit: 1 }, bounds);
		};
		this.#unreadable = new UnreadableTopics({ read, onChange, onError });
		this.#queue =
			options.ownStore === undefined
				? new AppendQueue(store, (topic, append) => this.#recentAppends.stored(topic, append), options.onRejected)
				: undefined;
	}

	/** Returns how much of a topic is kept; undefined if it has no history. */
	boundsOf(topic: string): HistoryBounds | undefined {
		return this.#options.patterns.boundsOf(topic);
	}

	// Lifecycle

	/** Prepares the store, if any topic has history. @throws an error saying why the backend can't keep history */
	async prepare(): Promise<void> {
		if (this.#options.patterns.areAny) await this.#options.store.prepare();
	}

	/**
	 * Starts to follow the topics that have sockets. Resolves once messages published to these topics from then on will
	 * arrive.
	 */
	async open(): Promise<void> {
		this.#isClosed = false;
		for (const topic of this.#options.registry.topics()) {
			const bounds = this.boundsOf(topic);
			if (bounds !== undefined) this.subscribed(topic, bounds);
		}
		// A topic that can't be read does not fail the start: reading it is retried.
		await Promise.allSettled(Array.from(this.#topics.values(), (history) => history.open()));
	}

	/** Resolves when all messages are stored or rejected. Those still pending after the timeout reject with `late`. */
	async drain(timeoutMs: number, late: Error): Promise<void> {
		await this.#queue?.drain(timeoutMs, late);
	}

	close(): void {
		this.#isClosed = true;
		for (const history of this.#topics.values()) history.close();
		this.#topics.clear();
		this.#renewal.stop();
		this.#unreadable.close();
	}

	// Messages

	/**
	 * Appends a message to a topic. Resolves when it is stored and, if there are no other nodes, delivered.
	 *
	 * @param content an envelope, or bytes
	 */
	append(topic: string, bounds: HistoryBounds, content: HistoryContent, idempotencyKey?: string): Promise<void> {
		if (this.#queue === undefined)
			return this.#options.store.append(topic, [content], bounds, idempotencyKey) as Promise<void>;
		this.#recentAppends.add(topic, performance.now());
		return this.#queue.add(topic, bounds, content, idempotencyKey);
	}

	/**
	 * Returns the topics that this node has appended to since a time of the monotonic clock, or 'all' if some of them
	 * are no longer remembered.
	 */
	appendedSince(time: number): readonly string[] | 'all' {
		return this.#recentAppends.since(time);
	}

	/** Looks for the last messages that this node sent to the store before `time`, by the monotonic clock. */
	searchAppends(time: number): Promise<Search> {
		const appends: Appended[] = [];
		const now = performance.now();
		for (const [topic, append] of this.#recentAppends.storedBefore(time)) {
			const bounds = this.boundsOf(topic);
			if (bounds !== undefined && now - append.sentAt < bounds.ttlMs) appends.push({ topic, bounds, ...append });
		}
		return searchAppends(this.#options.store, appends, () => this.#isClosed);
	}

	/** Called when any node has appended messages to a topic. */
	appended(topic: string, slice: HistorySlice): void {
		const history = this.#topics.get(topic);
		if (history !== undefined) return history.appended(slice);
		// During a deployment, a topic that has no history on this node may already, or still, have history on another
		// one.
		const { registry, local } = this.#options;
		if (registry.memberCount(topic) === 0 || this.boundsOf(topic) !== undefined) return;
		deliverSlice(local, topic, slice);
	}

	/**
	 * Called when messages of a topic may have been missed from `since` (milliseconds since the epoch) until now.
	 * Delivers the missing messages before any later ones.
	 */
	verify(topic: string, since: number): void {
		this.#topics.get(topic)?.verify(since);
	}

	/** See {@link readPage}. */
	page(topic: string, bounds: HistoryBounds, query: PageQuery): Promise<HistoryPage> {
		return readPage(this.#options.store, topic, bounds, query);
	}

	/** See {@link SharedPages.read}. */
	encodedPage(topic: string, bounds: HistoryBounds, query: PageQuery): Promise<EncodedPage> {
		return this.#pages.read(topic, bounds, query);
	}

	// Sockets

	/** Called when a socket has been subscribed to the topic. Messages are delivered to it once `ready` resolves. */
	subscribed(topic: string, bounds: HistoryBounds): void {
		if (this.#topics.has(topic)) return;
		this.#topics.set(topic, this.#follow(topic, bounds));
		this.#renewal.start();
	}

	/**
	 * Resolves once messages published to the topic from then on will arrive. Resolves immediately if the topic has no
	 * subscribers.
	 *
	 * @throws {HistoryUnavailableError} the topic can't be read
	 */
	ready(topic: string): Promise<void> {
		return this.#topics.get(topic)?.open() ?? Promise.resolve();
	}

	/**
	 * Makes a subscribed socket live at once. Returns the position that the live messages follow; undefined if that is
	 * not known yet, or the socket is catching up.
	 */
	goLive(socket: WebSocketConnection, topic: string): Position | undefined {
		const position = this.#topics.get(topic)?.cursor;
		if (position === undefined || this.#attempts.isCatchingUp(socket.data.socketId, topic)) return undefined;
		this.#options.local.subscribe(socket, topic);
		this.floors.live(socket, topic, position);
		return position;
	}

	/** Returns the position of a topic on this node; undefined until it is known. */
	cursorOf(topic: string): Position | undefined {
		return this.#topics.get(topic)?.cursor;
	}

	/** Resolves when the socket's attempt to catch up is over or replaced. Undefined if it is not catching up. */
	caughtUp(socketId: string, topic: string): Promise<void> | undefined {
		return this.#attempts.whenOver(socketId, topic);
	}

	/**
	 * Called when a socket has been unsubscribed from the topic, or has closed.
	 *
	 * @param error with which to reject a pending `resume`; default: it resolves
	 */
	unsubscribed(socket: WebSocketConnection, topic: string, error?: Error): void {
		// If the socket is subscribed again, a position from before must not follow the messages that it then receives.
		this.#firstPositions.flush();
		this.#attempts.cancel(socket.data.socketId, topic, error);
		this.floors.delete(socket, topic);
	}

	/** Called when no socket is subscribed to the topic any longer. */
	emptied(topic: string): void {
		this.#topics.get(topic)?.close();
		this.#topics.delete(topic);
		if (this.#topics.size === 0) this.#renewal.stop();
	}

	/**
	 * Sends a subscribed socket the messages that it missed, then makes it live. Resolves with undefined if the socket
	 * was closed, unsubscribed or resumed again in the meantime.
	 *
	 * @param isLive resolves when messages from all nodes will arrive
	 * @param onLive called when the socket has become live, instead of sending it a `@position`
	 * @throws {HistoryUnavailableError} the topic can't be read; the socket is not live
	 */
	async resume(
		socket: WebSocketConnection,
		topic: string,
		from: ResumeFrom,
		isLive: Promise<void>,
		onLive?: (position: Position) => void,
	): Promise<Recovery | undefined> {
		const { local } = this.#options;
		const attempt = this.#attempts.begin(socket.data.socketId, topic);
		// The socket may already be live. It stays live if no earlier messages are requested.
		if (from.since !== undefined || from.rewind !== undefined) local.unsubscribe(socket, topic);
		try {
			await isLive;
			const history = this.#topics.get(topic);
			if (history === undefined || !attempt.isCurrent) return undefined;
			const isWanted = (): boolean => attempt.isCurrent && !history.isClosed;
			const reader = new SocketReader(socket, topic, {
				local,
				firstPositions: this.#firstPositions,
				floors: this.floors,
				isWanted,
				isEntitled: from.isEntitled === true,
				onLive,
			});
			return await catchUp(history, from, reader);
		} catch (error) {
			if (attempt.isCurrent) throw error;
			if (attempt.error !== undefined) throw attempt.error;
			return undefined;
		} finally {
			attempt.end();
		}
	}

	#follow(topic: string, bounds: HistoryBounds): TopicHistory {
		const { store, ownStore, local, onLost } = this.#options;
		const tellPosition = (position: Position): void => {
			const { epoch, offset } = position;
			this.floors.moved(topic, position);
			this.#firstPositions.flush();
			local.toSpeakers(topic, encodePositionNotice({ topics: [topic], epoch, offset }));
		};
		return new TopicHistory({
			topic,
			bounds,
			store,
			current: ownStore?.readNow(topic, { limit: 0 }, bounds),
			deliver: (frame) => local.storedToTopic(topic, frame),
			onBegun: tellPosition,
			onLost: (since, position, reason) => {
				onLost(topic, since, reason);
				tellPosition(position);
			},
			onUnreadable: (error) => this.#unreadable.add(topic, error),
			onRead: () => this.#unreadable.delete(topic),
		});
	}
}

/** Delivers messages stored by other nodes to the sockets of this node, on which the topic has no history. */
export function deliverSlice(local: LocalFanout, topic: string, { epoch, entries }: HistorySlice): void {
	for (const entry of entries) local.storedToTopic(topic, frameOf(topic, epoch, entry));
}
