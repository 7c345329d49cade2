import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import { quiet } from '../support/promises.ts';
import type { LocalFanout } from '../sockets/local-fanout.ts';
import { encodePositionNotice } from '../protocol/built-in.ts';
import { size } from '../wire/payload.ts';
import { CloseCode } from '../protocol/closing.ts';
import type { Position } from '../protocol/position.ts';
import type { Registry } from '../sockets/registry.ts';
import { catchUp, type Reader, type Recovery, type ResumeFrom } from './catch-up.ts';
import { envelopeOf, frameOf, type PositionedEnvelope } from './framing.ts';
import { AppendQueue } from './append-queue.ts';
import type { HistoryPatterns } from './history-rules.ts';
import type { HistoryBounds, HistoryContent, HistorySlice, HistoryStore } from './history-store.ts';
import type { Framed } from './history-window.ts';
import { continues, TopicHistory } from './topic-history.ts';

/** A part of a topic's history. */
export interface HistoryPage {
	/** The oldest first. */
	readonly messages: readonly PositionedEnvelope[];
	/** With `offset` the position up to which this goes: ask for what comes `since` it to go on. */
	readonly epoch: string;
	readonly offset: number;
	/**
	 * Whether these are the messages right after `since`, or the last ones where that was not given. If not, there are none of them, and
	 * `epoch` and `offset` are where the topic is now.
	 */
	readonly recovered: boolean;
}

export interface HistoriesOptions {
	readonly patterns: HistoryPatterns;
	readonly store: HistoryStore;
	/** Whether other nodes share the store. */
	readonly isShared: boolean;
	readonly registry: Registry<WebSocketConnection>;
	readonly local: LocalFanout;
	/** Messages to a topic can't be given back, from then until now; in milliseconds since the epoch. */
	readonly onLost: (topic: string, since: number, reason: string) => void;
	/** The store could not be read; it is tried again. */
	readonly onError: (error: Error) => void;
	/** A message was not stored; its publisher knows. */
	readonly onRejected: (error: Error) => void;
}

/** How often it is looked whether a socket has room for more, at first and at most, and how long that may take, in milliseconds. */
const LOOK_FIRST_MS = 2;
const LOOK_LAST_MS = 50;
const NO_ROOM_MS = 30_000;

/** The topics with history that this node has sockets in. */
export class Histories {
	readonly #options: HistoriesOptions;
	readonly #outbox: AppendQueue | undefined;
	readonly #topics = new Map<string, TopicHistory>();
	/** Sockets that catch up, with the latest attempt by topic: they are in the topic, but get nothing live yet. */
	readonly #catchingUp = new Map<string, Map<string, object>>();

	constructor(options: HistoriesOptions) {
		this.#options = options;
		this.#outbox = options.isShared ? new AppendQueue(options.store, options.onRejected) : undefined;
	}

	/** Undefined for a topic without history. */
	boundsOf(topic: string): HistoryBounds | undefined {
		return this.#options.patterns.boundsOf(topic);
	}

	// Messages

	/** Resolves when it is stored, and delivered here if there are no other nodes. @param content an envelope, or bytes */
	append(topic: string, bounds: HistoryBounds, content: HistoryContent, idempotencyKey?: string): Promise<void> {
		if (this.#outbox !== undefined) return this.#outbox.add(topic, bounds, content, idempotencyKey);
		return this.#options.store.append(topic, [content], bounds, idempotencyKey);
	}

	/** Messages were appended to a topic, by whichever node. */
	appended(topic: string, slice: HistorySlice): void {
		const history = this.#topics.get(topic);
		if (history !== undefined) return history.appended(slice);
		// Other nodes may have other patterns, as during a deploy. What they send is delivered all the same.
		const { registry, local } = this.#options;
		if (registry.memberCount(topic) === 0 || this.boundsOf(topic) !== undefined) return;
		passOn(local, topic, slice);
	}

	/** Some messages of a topic may not have come, until now. What is missing is delivered before anything else of the topic. */
	verify(topic: string): void {
		this.#topics.get(topic)?.verify();
	}

	/** Resolves when what waits is stored or refused; what has no answer by then rejects with `late`. */
	async drain(timeoutMs: number, late: Error): Promise<void> {
		await this.#outbox?.drain(timeoutMs, late);
	}

	/** @param limit how many messages at most */
	async page(topic: string, bounds: HistoryBounds, since: Position | undefined, limit: number): Promise<HistoryPage> {
		const query = since === undefined ? { limit } : { after: since.offset, limit };
		const slice = await this.#options.store.read(topic, query, bounds);
		const { epoch, last, entries } = slice;
		const recovered = since === undefined || continues(slice, since);
		const messages = recovered ? entries.map((entry) => envelopeOf(topic, epoch, entry)) : [];
		return { messages, epoch, offset: messages.at(-1)?.position.offset ?? last, recovered };
	}

	// Sockets

	/** A socket is in the topic. What comes is delivered to it from `ready` on. */
	subscribed(topic: string, bounds: HistoryBounds): void {
		if (!this.#topics.has(topic)) this.#topics.set(topic, this.#open(topic, bounds));
	}

	/** Resolves when all that is published to the topic from then on is delivered; at once for a topic that nobody is in. */
	ready(topic: string): Promise<void> {
		return this.#topics.get(topic)?.open() ?? Promise.resolve();
	}

	/** No socket is in the topic any more. */
	emptied(topic: string): void {
		this.#topics.get(topic)?.close();
		this.#topics.delete(topic);
	}

	/** A socket has left the topic, or has closed. */
	unsubscribed(socketId: string, topic: string): void {
		const attempts = this.#catchingUp.get(socketId);
		if (attempts?.delete(topic) === true && attempts.size === 0) this.#catchingUp.delete(socketId);
	}

	/** Whether a socket is in the topic, but gets nothing live yet. */
	isCatchingUp(socketId: string, topic: string): boolean {
		return this.#catchingUp.get(socketId)?.has(topic) === true;
	}

	/**
	 * A socket, which is in the topic by now, is sent what it missed, and then what comes. Undefined if it left meanwhile, or began anew.
	 *
	 * @param isLive resolves when all nodes' messages arrive
	 */
	async resume(
		socket: WebSocketConnection,
		topic: string,
		from: ResumeFrom,
		isLive: Promise<void>,
	): Promise<Recovery | undefined> {
		const { socketId } = socket.data;
		const attempt = {};
		let attempts = this.#catchingUp.get(socketId);
		if (attempts === undefined) this.#catchingUp.set(socketId, (attempts = new Map()));
		attempts.set(topic, attempt);
		// It may be live already, and stays so where nothing is to come before that.
		if (from.since !== undefined || from.rewind !== undefined) this.#options.local.unsubscribe(socket, topic);
		try {
			await isLive;
			const history = this.#topics.get(topic);
			if (history === undefined || attempts.get(topic) !== attempt) return undefined;
			return await catchUp(history, from, this.#reader(socket, topic, history, attempt));
		} finally {
			if (attempts.get(topic) === attempt) this.unsubscribed(socketId, topic);
		}
	}

	#reader(socket: WebSocketConnection, topic: string, history: TopicHistory, attempt: object): Reader {
		const { local } = this.#options;
		const attempts = this.#catchingUp;
		const { socketId } = socket.data;
		const tooSlow = (): void => socket.close(CloseCode.tryAgainLater, 'reads too slowly');
		const reader: Reader = {
			get isThere() {
				const isWanted = attempts.get(socketId)?.get(topic) === attempt;
				return isWanted && !history.isClosed && socket.readyState === WebSocket.OPEN;
			},
			send(window, from) {
				const { messages } = window;
				let at = from;
				while (at < messages.length && reader.isThere && local.hasRoom(socket)) {
					socket.cork(() => {
						let corked = 0;
						do {
							const { frame } = messages[at++] as Framed;
							corked += size(frame);
							local.toSocket(socket, frame);
						} while (at < messages.length && local.hasRoom(socket, corked));
					});
				}
				return at - from;
			},
			async room() {
				const deadline = performance.now() + NO_ROOM_MS;
				for (let ms = LOOK_FIRST_MS; reader.isThere && !local.hasRoom(socket); ms = Math.min(LOOK_LAST_MS, ms * 2)) {
					if (performance.now() > deadline) return tooSlow();
					await Bun.sleep(ms);
				}
			},
			begin(position) {
				local.toSocket(socket, encodePositionNotice({ topic, ...position }));
			},
			goLive({ recovered, count, position }) {
				local.subscribe(socket, topic);
				local.toSocket(
					socket,
					encodePositionNotice({
						topic,
						...position,
						...(recovered !== undefined && { recovered }),
						count,
					}),
				);
			},
			tooSlow,
		};
		return reader;
	}

	#open(topic: string, bounds: HistoryBounds): TopicHistory {
		const { store, isShared, local, registry, onLost, onError } = this.#options;
		return new TopicHistory({
			topic,
			bounds,
			store,
			isShared,
			deliver: (frame) => {
				if (registry.memberCount(topic) > 0) local.toTopic(topic, frame);
			},
			onLost: (since, position, reason) => {
				onLost(topic, since, reason);
				local.toTopic(topic, encodePositionNotice({ topic, ...position }));
			},
			onError,
		});
	}

	// Its life

	/** @throws an error that says what is lacking, where the backend can't keep history */
	async prepare(): Promise<void> {
		if (this.#options.patterns.areAny) await this.#options.store.prepare();
	}

	/** Follows the topics that have sockets. Resolves when all that is published to them from then on is delivered. */
	async open(): Promise<void> {
		for (const topic of this.#options.registry.topics()) {
			const bounds = this.boundsOf(topic);
			if (bounds !== undefined) this.subscribed(topic, bounds);
		}
		await Promise.all(Array.from(this.#topics.values(), (history) => quiet(history.open())));
	}

	close(): void {
		for (const history of this.#topics.values()) history.close();
		this.#topics.clear();
	}
}

/** Delivers what nodes with other patterns have stored to the sockets of one that keeps no history of the topic. */
export function passOn(local: LocalFanout, topic: string, { epoch, entries }: HistorySlice): void {
	for (const entry of entries) local.toTopic(topic, frameOf(topic, epoch, entry));
}
