import type { Connection } from '../connection/connection.ts';
import { UnsentMessageError } from '../errors.ts';

/** Something that is to be sent. */
export interface Outgoing {
	/** The message's name. */
	readonly name: string;
	/** JSON. */
	readonly text: string;
	/** Sends it. */
	deliver(connection: Connection): void;
	/** It will not be sent. */
	refuse(error: UnsentMessageError): void;
}

export interface SendQueueBounds {
	readonly messages: number;
	readonly characters: number;
}

/** After a connection is there, what waits goes out in parts, so many of them in a second. */
const PARTS_PER_SECOND = 4;
/** And together at so much of the speed that is allowed: a little less, but no slower than an application that keeps to it goes on sending. */
const OF_THE_ALLOWED = 0.9;

/** What is to be sent goes out in its order: at once, or, as long as that can't be, from a bounded queue. */
export class SendQueue {
	readonly #bounds: SendQueueBounds;
	readonly #waiting = new Set<Outgoing>();
	/** What waits for the next connection. */
	readonly #held = new Set<Outgoing>();
	#characters = 0;
	/** Why nothing is sent any more, until there is a connection again. */
	#closedBecause: string | undefined;
	#connection: Connection | undefined;
	/** How many of those that wait may go out together. */
	#part = Infinity;
	/** How long after one part the next one goes, in milliseconds. */
	#partMs = 1000 / PARTS_PER_SECOND;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(bounds: SendQueueBounds) {
		this.#bounds = bounds;
	}

	/** Whether what is added goes out at once. */
	get isClear(): boolean {
		if (this.#waiting.size > 0 || this.#timer !== undefined) return false;
		return this.#connection?.isReady === true && !this.#connection.isFull;
	}

	/** Sends it, or lets it wait. */
	add(outgoing: Outgoing): void {
		if (this.isClear && this.#connection !== undefined) return outgoing.deliver(this.#connection);
		const { messages, characters } = this.#bounds;
		if (this.#waiting.size >= messages || this.#characters + outgoing.text.length > characters) {
			const { size } = this.#waiting;
			return outgoing.refuse(
				new UnsentMessageError(outgoing.name, 'queue_full', `${size} messages wait already for the connection`),
			);
		}
		this.#waiting.add(outgoing);
		this.#characters += outgoing.text.length;
		this.#sendSoon();
	}

	/** Sends it again, on another connection than that, before what waits, whatever that is: it was let in once. */
	hold(outgoing: Outgoing, before: Connection): void {
		if (this.#closedBecause !== undefined) {
			return outgoing.refuse(new UnsentMessageError(outgoing.name, 'closed', this.#closedBecause));
		}
		if (this.#connection !== undefined && this.#connection !== before) return this.add(outgoing);
		this.#held.add(outgoing);
		this.#characters += outgoing.text.length;
	}

	/** It need not be sent any more. Returns whether it still waited. */
	remove(outgoing: Outgoing): boolean {
		if (!this.#waiting.delete(outgoing) && !this.#held.delete(outgoing)) return false;
		this.#characters -= outgoing.text.length;
		return true;
	}

	/**
	 * There is a connection.
	 *
	 * @param messagesPerSecond how fast it may be used; undefined if there is no bound
	 * @param spent how many messages that has cost already: what waits does not go out before there is room for it
	 */
	open(connection: Connection, messagesPerSecond: number = Infinity, spent: number = 0): void {
		this.#connection = connection;
		this.#closedBecause = undefined;
		const waited = [...this.#held, ...this.#waiting];
		this.#held.clear();
		this.#waiting.clear();
		for (const outgoing of waited) this.#waiting.add(outgoing);
		const perSecond = messagesPerSecond * OF_THE_ALLOWED;
		this.#part = Math.max(1, Math.floor(perSecond / PARTS_PER_SECOND));
		this.#partMs = Math.max(1 / PARTS_PER_SECOND, 1 / perSecond) * 1000;
		// A second's worth may be sent at once, of which `@auth` was one.
		const lacking = spent === 0 ? 0 : this.#part + spent + 1 - messagesPerSecond;
		if (lacking > 0) this.#sendAfter((lacking / messagesPerSecond) * 1000);
		else this.#sendPart();
	}

	/** There is none any more. */
	shut(): void {
		this.#connection = undefined;
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	/** Nothing that waits will be sent. */
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
