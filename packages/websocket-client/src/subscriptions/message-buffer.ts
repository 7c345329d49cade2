import type { Envelope, GapNotice } from '@orijs/websocket/protocol';
import { type Deferred, deferred } from '../support/promises.ts';

/** How long messages are kept for a loop that has not begun, in milliseconds. */
const KEPT_MS = 10_000;

/** The messages that wait for a loop over a subscription. */
export class MessageBuffer {
	readonly #size: number;
	readonly #onDropped: (gap: GapNotice) => void;
	readonly #messages: Envelope[] = [];
	/** The span of the messages that were dropped since the loop last took one. */
	#dropped: GapNotice | undefined;
	/** The time until which messages are kept, in milliseconds since the epoch. */
	#keepUntil = Infinity;
	#isRead = false;
	#isOver = false;
	#error: Error | undefined;
	/** Resolved when something has changed that a loop waits for. */
	#change: Deferred<void> | undefined;

	/** @param onDropped called when the loop comes to messages that were dropped */
	constructor(size: number, onDropped: (gap: GapNotice) => void) {
		this.#size = size;
		this.#onDropped = onDropped;
	}

	/** Whether there is or was a loop. */
	get isRead(): boolean {
		return this.#isRead;
	}

	/** Adds a message. Drops the oldest one if too many wait, and all if no loop has begun in time. */
	add(envelope: Envelope): void {
		const size = Date.now() > this.#keepUntil ? 0 : this.#size;
		this.#messages.push(envelope);
		while (this.#messages.length > size) {
			const { topic = '', timestamp } = this.#messages.shift() as Envelope;
			const { since, until } = this.#dropped ?? { since: timestamp, until: timestamp };
			this.#dropped = { topic, since: Math.min(since, timestamp), until: Math.max(until, timestamp) };
		}
		this.#changed();
	}

	/** Called when the subscription is confirmed. A loop must begin soon after that. */
	confirmed(): void {
		if (!this.#isRead) this.#keepUntil = Date.now() + KEPT_MS;
	}

	/** Ends the loop: immediately, or with this error once it has taken the messages that wait. */
	end(error?: Error): void {
		this.#isOver = true;
		this.#error = error;
		if (error === undefined) {
			this.#messages.length = 0;
			this.#dropped = undefined;
		}
		this.#changed();
	}

	/** Takes messages until the end. @param left called when the loop is over, or is left early */
	async *read(left: () => void): AsyncGenerator<Envelope, void> {
		this.#isRead = true;
		this.#keepUntil = Infinity;
		try {
			for (;;) {
				const dropped = this.#dropped;
				this.#dropped = undefined;
				if (dropped !== undefined) this.#onDropped(dropped);
				const envelope = this.#messages.shift();
				if (envelope !== undefined) yield envelope;
				else if (this.#error !== undefined) throw this.#error;
				else if (this.#isOver) return;
				else await (this.#change ??= deferred()).promise;
			}
		} finally {
			left();
		}
	}

	#changed(): void {
		this.#change?.resolve();
		this.#change = undefined;
	}
}
