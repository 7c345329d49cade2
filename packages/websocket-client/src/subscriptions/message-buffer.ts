import type { Envelope } from '@orijs/websocket/protocol';
import { type Deferred, deferred } from '../support/promises.ts';

/** When the messages that a loop missed were published, in milliseconds since the epoch. */
interface Span {
	since: number;
	until: number;
}

/** The messages that wait for a loop over a subscription. */
export class MessageBuffer {
	/** Whether a loop has begun. */
	isRead: boolean = false;
	readonly #messages: Envelope[] = [];
	/** The messages that were dropped since the loop last took one. */
	#dropped: Span | undefined;
	/** The time until which messages are kept without a loop, in milliseconds since the epoch. */
	#keptUntil: number | undefined;
	/** Why the subscription has ended; null if it was closed; undefined while it has not ended. */
	#end: Error | null | undefined;
	/** Resolved when something has changed that a loop waits for. */
	#change: Deferred<void> | undefined;

	/** Adds a message. Drops the oldest one if more than `size` wait, and all if no loop has begun in time. */
	add(envelope: Envelope, size: number): void {
		/** How long messages are kept if no loop begins, from the first of them, in milliseconds. */
		const KEPT_MS = 10_000;
		const now = Date.now();
		this.#keptUntil ??= now + KEPT_MS;
		this.#messages.push(envelope);
		while (this.#messages.length > (this.isRead || now < this.#keptUntil ? size : 0)) {
			const { timestamp } = this.#messages.shift() as Envelope;
			const dropped = (this.#dropped ??= { since: timestamp, until: timestamp });
			// The clocks of publishers differ.
			dropped.since = Math.min(dropped.since, timestamp);
			dropped.until = Math.max(dropped.until, timestamp);
		}
		this.#changed();
	}

	/**
	 * Ends the loop: immediately, or with this error once it has taken the messages that wait.
	 *
	 * @param keepsWaiting whether a loop that ends without an error takes the messages that wait, too
	 */
	end(error: Error | null, keepsWaiting?: boolean): void {
		this.#end = error;
		if (error === null && !keepsWaiting) {
			this.#messages.length = 0;
			this.#dropped = undefined;
		}
		this.#changed();
	}

	/**
	 * Takes messages until the end.
	 *
	 * @param dropped called when the loop comes to messages that were dropped
	 * @param left called when the loop is over, or is left early
	 */
	async *read(dropped: (span: Readonly<Span>) => void, left: () => void): AsyncGenerator<Envelope, void> {
		this.isRead = true;
		try {
			for (;;) {
				const span = this.#dropped;
				this.#dropped = undefined;
				if (span) dropped(span);
				const envelope = this.#messages.shift();
				if (envelope) yield envelope;
				else if (this.#end) throw this.#end;
				else if (this.#end === null) return;
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
