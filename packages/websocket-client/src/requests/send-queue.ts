import type { Connection } from '../connection/connection.ts';
import { UnsentMessageError } from '../errors.ts';
import { CallOrder } from '../support/call-order.ts';

/** A message or request to send. */
export interface Outgoing {
	/** The message's name. */
	readonly name: string;
	/** The frame, as JSON text. */
	readonly text: string;
	/** Sends the message on a connection. */
	deliver(connection: Connection): void;
	/** Called if the message will not be sent. */
	refuse(error: UnsentMessageError): void;
}

export interface SendQueueBounds {
	readonly messages: number;
	readonly characters: number;
}

/** Queued messages are sent in parts. This is the number of parts per second. */
const PARTS_PER_SECOND = 4;
/** The share of the server's rate limit that is used: enough to keep up with an application that respects the limit. */
const SHARE_OF_RATE = 0.9;

/** Sends messages in order: immediately if possible, otherwise later, from a bounded queue. */
export class SendQueue {
	readonly #bounds: SendQueueBounds;
	readonly #order = new CallOrder();
	readonly #waiting = new Set<Outgoing>();
	/** Messages that must wait for the next connection. */
	readonly #held = new Set<Outgoing>();
	#characters = 0;
	/** The reason given to `refuseAll`; undefined once there is a connection again. */
	#closedBecause: string | undefined;
	#connection: Connection | undefined;
	/** How many queued messages are sent at a time. */
	#part = Infinity;
	/** The delay between two parts, in milliseconds. */
	#partMs = 1000 / PARTS_PER_SECOND;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(bounds: SendQueueBounds) {
		this.#bounds = bounds;
	}

	/**
	 * Calls `add` once `checked` has settled, in the order of the calls of this method, even if schemas validate
	 * asynchronously. Calls it immediately if there is nothing to wait for.
	 */
	inOrder<TResult>(checked: unknown, add: () => TResult | Promise<TResult>): TResult | Promise<TResult> {
		return this.#order.run(checked, add);
	}

	/** Whether a message that is added now is sent immediately. */
	get isClear(): boolean {
		if (this.#waiting.size > 0 || this.#timer !== undefined) return false;
		return this.#connection?.isReady === true && !this.#connection.isFull;
	}

	/** Sends the message, queues it, or refuses it if the queue is full. */
	add(outgoing: Outgoing): void {
		if (this.isClear && this.#connection !== undefined) return outgoing.deliver(this.#connection);
		const { messages, characters } = this.#bounds;
		if (this.#waiting.size >= messages || this.#characters + outgoing.text.length > characters) {
			const { size } = this.#waiting;
			return outgoing.refuse(
				new UnsentMessageError(outgoing.name, 'queue_full', `${size} messages are already queued`),
			);
		}
		this.#waiting.add(outgoing);
		this.#characters += outgoing.text.length;
		this.#sendSoon();
	}

	/**
	 * Sends a message again, on a later connection than `before` and ahead of the queue. The bounds don't apply, because
	 * the message was accepted before.
	 */
	hold(outgoing: Outgoing, before: Connection): void {
		if (this.#closedBecause !== undefined) {
			return outgoing.refuse(new UnsentMessageError(outgoing.name, 'closed', this.#closedBecause));
		}
		if (this.#connection !== undefined && this.#connection !== before) return this.add(outgoing);
		this.#held.add(outgoing);
		this.#characters += outgoing.text.length;
	}

	/** Removes a message from the queue. Returns whether it was still queued. */
	remove(outgoing: Outgoing): boolean {
		if (!this.#waiting.delete(outgoing) && !this.#held.delete(outgoing)) return false;
		this.#characters -= outgoing.text.length;
		return true;
	}

	/**
	 * Starts sending on a connection that is ready.
	 *
	 * @param messagesPerSecond the rate that the server allows; undefined if there is no limit
	 * @param spent how many messages of that rate are already used up: the queue waits until the rate allows more
	 */
	open(connection: Connection, messagesPerSecond: number = Infinity, spent: number = 0): void {
		this.#connection = connection;
		this.#closedBecause = undefined;
		const waited = [...this.#held, ...this.#waiting];
		this.#held.clear();
		this.#waiting.clear();
		for (const outgoing of waited) this.#waiting.add(outgoing);
		const perSecond = messagesPerSecond * SHARE_OF_RATE;
		this.#part = Math.max(1, Math.floor(perSecond / PARTS_PER_SECOND));
		this.#partMs = Math.max(1 / PARTS_PER_SECOND, 1 / perSecond) * 1000;
		// The server allows a second's worth of messages at once, and `@auth` was one of them.
		const lacking = spent === 0 ? 0 : this.#part + spent + 1 - messagesPerSecond;
		if (lacking > 0) this.#sendAfter((lacking / messagesPerSecond) * 1000);
		else this.#sendPart();
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
		for (const outgoing of [...this.#held, ...this.#waiting]) {
			this.remove(outgoing);
			outgoing.refuse(new UnsentMessageError(outgoing.name, 'closed', reason));
		}
	}

	#sendPart(): void {
		let left = this.#part;
		for (const outgoing of this.#waiting) {
			const connection = this.#connection;
			if (left-- === 0 || connection?.isReady !== true || connection.isFull) break;
			this.remove(outgoing);
			outgoing.deliver(connection);
		}
		this.#sendSoon();
	}

	#sendSoon(): void {
		if (this.#waiting.size === 0 || this.#connection === undefined || this.#timer !== undefined) return;
		this.#sendAfter(this.#partMs);
	}

	#sendAfter(ms: number): void {
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			this.#sendPart();
		}, ms);
	}
}
