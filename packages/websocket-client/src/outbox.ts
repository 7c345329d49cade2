import type { Connection } from './connection.ts';
import { UnsentMessageError } from './errors.ts';

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

export interface OutboxBounds {
	readonly messages: number;
	readonly characters: number;
}

/** After a connection is there, what waits goes out in parts, so many of them in a second, and together at half the speed that is allowed. */
const PARTS_PER_SECOND = 4;
const PART_MS = 1000 / PARTS_PER_SECOND;

/** What is to be sent goes out in its order: at once, or, as long as that can't be, from a bounded queue. */
export class Outbox {
	readonly #bounds: OutboxBounds;
	readonly #waiting = new Set<Outgoing>();
	#characters = 0;
	#connection: Connection | undefined;
	/** How many of those that wait may go out together. */
	#part = Infinity;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(bounds: OutboxBounds) {
		this.#bounds = bounds;
	}

	/** Sends it, or lets it wait. */
	add(outgoing: Outgoing): void {
		const connection = this.#connection;
		if (this.#waiting.size === 0 && connection?.isReady === true && !connection.isFull) {
			return outgoing.deliver(connection);
		}
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

	/** It need not be sent any more. Returns whether it still waited. */
	remove(outgoing: Outgoing): boolean {
		if (!this.#waiting.delete(outgoing)) return false;
		this.#characters -= outgoing.text.length;
		return true;
	}

	/** There is a connection. @param messagesPerSecond how fast it may be used; undefined if there is no bound */
	open(connection: Connection, messagesPerSecond: number | undefined): void {
		this.#connection = connection;
		this.#part = Math.max(1, Math.floor((messagesPerSecond ?? Infinity) / 2 / PARTS_PER_SECOND));
		this.#sendPart();
	}

	/** There is none any more, or none that takes messages. */
	shut(): void {
		this.#connection = undefined;
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	/** Nothing that waits will be sent. */
	refuseAll(reason: string): void {
		this.shut();
		for (const outgoing of this.#waiting) {
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
		this.#timer = setTimeout(() => {
			this.#timer = undefined;
			this.#sendPart();
		}, PART_MS);
	}
}
