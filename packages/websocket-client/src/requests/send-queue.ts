import { MAX_TOPICS } from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { TOPICS_PER_MESSAGE } from '../connection/pace.ts';
import type { ClientClosedError, UnsentCode } from '../errors.ts';
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
	 * Requests topics in one message that counts as at most `cost` messages towards the rate limit. Returns how many it
	 * counts as.
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
 * What waits shares the rate with the requests for topics and other requests of the client's own.
 */
export class SendQueue {
	readonly #bounds: SendQueueBounds;
	readonly #topics: DueTopics;
	readonly #closed: () => ClientClosedError | undefined;
	/** The number of requests so far, which gives each a correlation id of its own. */
	requests: number = 0;
	/** The order of the calls that lead to `add`, even if schemas validate asynchronously. */
	readonly order: CallOrder = new CallOrder();
	/** By the key of `latest`, or the message itself. A message that takes another's key takes its place, too. */
	#waiting = new Map<unknown, Outgoing>();
	/** Messages that must wait for the next connection, each by itself. */
	readonly #held = new Map<unknown, Outgoing>();
	/** Requests that the client makes by itself on the present connection. The bounds don't apply to them. */
	#own: Outgoing[] = [];
	#characters = 0;
	#connection: Connection | undefined;
	/** How many more messages of the rate topics and own requests have used than what waits has. They take turns. */
	#lead = 0;
	/** Set while something waits for the rate. */
	#timer: ReturnType<typeof setTimeout> | undefined;

	/** @param closed returns why nothing is sent; undefined unless the client is closed */
	constructor(bounds: SendQueueBounds, topics: DueTopics, closed: () => ClientClosedError | undefined) {
		this.#bounds = bounds;
		this.#topics = topics;
		this.#closed = closed;
	}

	/** Sends the message, queues it, or refuses it: it is too large, the queue is full, or the client is closed. */
	add(outgoing: Outgoing): void {
		const connection = this.#connection;
		const { size } = this.#waiting;
		if (!size && !this.#timer && connection?.isReady && !this.#try(connection, outgoing)) return;
		const { text, latest, isUrgent } = outgoing;
		const key = latest ?? outgoing;
		const older = this.#waiting.get(key);
		const total = this.#characters + text.length - (older?.text.length ?? 0);
		const { messages, characters } = this.#bounds;
		if (isUrgent) return outgoing.refuse('not_ready', 'it must wait');
		if (this.#refuseIfClosed(outgoing)) return;
		if ((!older && size >= messages) || total > characters)
			return outgoing.refuse('queue_full', `${size} messages of ${this.#characters} characters wait`);
		older?.refuse('replaced', 'a newer one replaces it');
		this.#waiting.set(key, outgoing);
		this.#characters = total;
		this.flush();
	}

	/**
	 * Sends a message again, on a later connection than `before`. If there is no such connection yet, the message waits
	 * ahead of the queue. The bounds don't apply to it, because the queue has accepted it once.
	 */
	hold(outgoing: Outgoing, before: Connection): void {
		if (this.#refuseIfClosed(outgoing)) return;
		if (this.#connection && this.#connection !== before) return this.add(outgoing);
		this.#held.set(outgoing, outgoing);
		this.#characters += outgoing.text.length;
	}

	#refuseIfClosed(outgoing: Outgoing): boolean {
		const error = this.#closed();
		if (error) outgoing.refuse('closed', error.message);
		return !!error;
	}

	/** Removes a message from the queue, if it is still queued. */
	remove(outgoing: Outgoing): void {
		if (this.#waiting.delete(outgoing.latest ?? outgoing) || this.#held.delete(outgoing))
			this.#characters -= outgoing.text.length;
	}

	/**
	 * Sends a request of the client's own, before messages that wait or in turn with them, and after topics that are
	 * due. If the connection is lost before that, the request is refused.
	 */
	ask(outgoing: Outgoing): void {
		this.#own.push(outgoing);
		this.flush();
	}

	/**
	 * Starts sending on a connection that is ready: first topics and own requests, as far as the rate allows at once,
	 * then these and what waits.
	 */
	open(connection: Connection): void {
		this.#connection = connection;
		this.#waiting = new Map([...this.#held, ...this.#waiting]);
		this.#held.clear();
		this.#lead = -Infinity;
		this.flush();
	}

	/** Stops sending. Must be called when the connection is lost. */
	shut(): void {
		this.#connection = undefined;
		clearTimeout(this.#timer);
		this.#timer = undefined;
		const own = this.#own;
		this.#own = [];
		for (const outgoing of own) outgoing.refuse('closed', 'the connection was lost');
	}

	/** Refuses all queued messages. Must be called when the client is closed, and has no connection any more. */
	refuseAll(): void {
		for (const outgoing of [...this.#held.values(), ...this.#waiting.values()]) {
			this.remove(outgoing);
			this.#refuseIfClosed(outgoing);
		}
	}

	/** Sends what waits, as far as the rate allows, and the rest later. Must be called when topics become due. */
	flush(): void {
		let ms = 0;
		for (let connection; !ms && !this.#timer && (connection = this.#connection)?.isReady;) {
			const [first] = this.#waiting.values();
			const [own] = this.#own;
			const due = this.#topics.due.length;
			if ((due || own) && (!first || this.#lead <= 0)) {
				let paid = 1;
				if (!due) {
					ms = this.#try(connection, own as Outgoing);
					if (ms) break;
					this.#own.shift();
				} else {
					// If a request costs more, the server refuses everything, even pings, until the rate has made up for it.
					const cost = Math.min(Math.ceil(due / TOPICS_PER_MESSAGE), MAX_TOPICS_COST, connection.burst);
					ms = connection.delay(cost, TOPICS_BYTES);
					paid = ms ? 0 : this.#topics.requestSome(connection, cost);
				}
				if (first) this.#lead += paid;
			} else if (first) {
				ms = this.#try(connection, first);
				if (ms) break;
				this.remove(first);
				if (due || own) this.#lead--;
			} else return;
		}
		if (!ms) return;
		this.#lead = Math.max(0, this.#lead);
		this.#timer = setTimeout(
			() => {
				this.#timer = undefined;
				this.flush();
			},
			Math.max(MIN_DELAY_MS, ms),
		);
	}

	/**
	 * Sends a message, or refuses it if it is too large. Returns 0, or the delay in milliseconds if it has to wait.
	 */
	#try(connection: Connection, outgoing: Outgoing): number {
		const bytes = utf8Bytes(outgoing.text);
		const excess = connection.excess(bytes);
		const ms = excess ? 0 : connection.delay(1, bytes);
		if (excess) outgoing.refuse('too_large', excess);
		else if (!ms) outgoing.deliver(connection, bytes);
		return ms;
	}
}
