import { MAX_TOPICS } from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { TOPICS_PER_MESSAGE } from '../connection/pace.ts';
import type { UnsentCode } from '../errors.ts';
import { CallOrder } from '../support/call-order.ts';
import { utf8Bytes } from '../support/utf8-bytes.ts';

/** A message or request to send. */
export interface Outgoing {
	/** The frame, as JSON text. */
	readonly text: string;
	/** Whether the message is refused if it can't be sent at once. */
	readonly isUrgent?: boolean;
	/** Of the messages that wait under one key, only the newest is sent. */
	readonly latest?: string | undefined;
	/** Sends the message on a connection. @param bytes the size of the text */
	deliver(connection: Connection, bytes: number): void;
	/** Called if the message will not be sent. */
	refuse(code: UnsentCode, why: string): void;
}

/** The topics that the client has to subscribe to, or to unsubscribe from. */
export interface DueTopics {
	readonly due: readonly string[];
	/**
	 * Requests some of them in one message, as many as count as at most `cost` messages. Returns as how many they count.
	 */
	requestSome(connection: Connection, cost: number): number;
}

export interface SendQueueBounds {
	readonly messages: number;
	readonly characters: number;
}

/** The most messages that one request for topics counts as. */
const MAX_TOPICS_COST = MAX_TOPICS / TOPICS_PER_MESSAGE;
/** At least the size of a request for topics, in bytes, unless its topics have long names. */
const TOPICS_BYTES = 4_096;
/** The least delay between attempts to send what waits, in milliseconds. */
const MIN_DELAY_MS = 20;

/**
 * Sends messages in order: immediately if the server's rate limit allows it, otherwise later, from a bounded queue.
 * What waits shares the rate with the requests for topics.
 */
export class SendQueue {
	readonly #bounds: SendQueueBounds;
	readonly #topics: DueTopics;
	/** The order of the calls that lead to `add`, even if schemas validate asynchronously. */
	readonly order: CallOrder = new CallOrder();
	/** By the key of `latest`, or the message itself. A message that takes another's key takes its place, too. */
	readonly #waiting = new Map<unknown, Outgoing>();
	/** Messages that must wait for the next connection. */
	readonly #held = new Set<Outgoing>();
	#characters = 0;
	/** The reason passed to `refuseAll`; undefined once there is a connection again. */
	#closedBecause: string | undefined;
	#connection: Connection | undefined;
	/** By how many messages topics have used the rate more than what waits. They take turns. */
	#lead = 0;
	/** Set while something waits for the rate. */
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(bounds: SendQueueBounds, topics: DueTopics) {
		this.#bounds = bounds;
		this.#topics = topics;
	}

	/** Sends the message, queues it, or refuses it if it is too large, or the queue is full. */
	add(outgoing: Outgoing): void {
		const connection = this.#connection;
		const isClear = this.#waiting.size === 0 && this.#timer === undefined && connection?.isReady === true;
		if (isClear && this.#try(connection, outgoing) === 0) return;
		const { text, latest } = outgoing;
		const key = latest ?? outgoing;
		const older = this.#waiting.get(key);
		const characters = this.#characters + text.length - (older?.text.length ?? 0);
		const { size } = this.#waiting;
		if (outgoing.isUrgent) return outgoing.refuse('not_ready', 'it would have to wait');
		if ((older === undefined && size >= this.#bounds.messages) || characters > this.#bounds.characters) {
			return outgoing.refuse('queue_full', `${size} messages are already queued`);
		}
		older?.refuse('replaced', 'a newer one takes its place');
		this.#waiting.set(key, outgoing);
		this.#characters = characters;
		this.sendWaiting();
	}

	/**
	 * Sends a message again, on a later connection than `before`. If there is no such connection yet, the message waits
	 * ahead of the queue. The bounds don't apply to it, because the queue has accepted it once.
	 */
	hold(outgoing: Outgoing, before: Connection): void {
		if (this.#closedBecause !== undefined) return outgoing.refuse('closed', this.#closedBecause);
		if (this.#connection !== undefined && this.#connection !== before) return this.add(outgoing);
		this.#held.add(outgoing);
		this.#characters += outgoing.text.length;
	}

	/** Removes a message from the queue, if it is still queued. */
	remove(outgoing: Outgoing): void {
		if (!this.#waiting.delete(outgoing.latest ?? outgoing) && !this.#held.delete(outgoing)) return;
		this.#characters -= outgoing.text.length;
	}

	/** Starts sending on a connection that is ready: first topics, as far as the rate allows at once, then both. */
	open(connection: Connection): void {
		this.#connection = connection;
		this.#closedBecause = undefined;
		const waited = [...this.#held, ...this.#waiting.values()];
		this.#held.clear();
		this.#waiting.clear();
		for (const outgoing of waited) this.#waiting.set(outgoing.latest ?? outgoing, outgoing);
		this.#lead = -Infinity;
		this.sendWaiting();
	}

	/** Stops sending. Must be called when the connection is lost. */
	shut(): void {
		this.#connection = undefined;
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	/** Refuses all queued messages, and further calls of `hold` until there is a connection again. */
	refuseAll(reason: string): void {
		this.shut();
		this.#closedBecause = reason;
		for (const outgoing of [...this.#held, ...this.#waiting.values()]) {
			this.remove(outgoing);
			outgoing.refuse('closed', reason);
		}
	}

	/** Sends what waits, as far as the rate allows, and the rest later. Must be called when topics become due. */
	sendWaiting(): void {
		if (this.#timer !== undefined) return;
		let ms: number | undefined;
		while ((ms = this.#sendNext()) === 0);
		if (ms === undefined) return;
		this.#lead = Math.max(0, this.#lead);
		this.#timer = setTimeout(
			() => {
				this.#timer = undefined;
				this.sendWaiting();
			},
			Math.max(MIN_DELAY_MS, ms),
		);
	}

	/**
	 * Sends the next of what waits. Returns 0 if it was sent, the delay in milliseconds if it has to wait longer, and
	 * undefined if nothing can be sent before something changes.
	 */
	#sendNext(): number | undefined {
		const connection = this.#connection;
		const [first] = this.#waiting.values();
		const due = this.#topics.due.length;
		if (connection?.isReady !== true) return undefined;
		if (due > 0 && (first === undefined || this.#lead <= 0)) {
			const cost = Math.min(Math.ceil(due / TOPICS_PER_MESSAGE), MAX_TOPICS_COST);
			const ms = connection.delay(cost, TOPICS_BYTES);
			if (ms > 0) return ms;
			const paid = this.#topics.requestSome(connection, cost);
			if (first !== undefined) this.#lead += paid;
		} else if (first !== undefined) {
			const ms = this.#try(connection, first);
			if (ms > 0) return ms;
			this.remove(first);
			if (due > 0) this.#lead--;
		} else return undefined;
		return 0;
	}

	/**
	 * Sends a message, or refuses it if it is too large. Returns 0, or the delay in milliseconds if it has to wait.
	 */
	#try(connection: Connection, outgoing: Outgoing): number {
		const bytes = utf8Bytes(outgoing.text);
		const excess = connection.excess(bytes);
		if (excess !== undefined) {
			outgoing.refuse('too_large', excess);
			return 0;
		}
		const ms = connection.delay(1, bytes);
		if (ms === 0) outgoing.deliver(connection, bytes);
		return ms;
	}
}
