import type { Envelope, GapNotice } from '@orijs/websocket/protocol';
import { type Deferred, deferred } from '../support/promises.ts';

/** How long messages are kept if no loop begins, from the first of them, in milliseconds. */
const KEPT_MS = 10_000;

/** The messages that wait for a loop over a subscription. */
export class MessageBuffer {
	readonly #size: number;
	readonly #messages: Envelope[] = [];
	/** The span of the messages that were dropped since the loop last took one. */
	#dropped: GapNotice | undefined;
	/** The time until which messages are kept without a loop, in milliseconds since the epoch. */
	#keptUntil: number | undefined;
	/** Why the subscription has ended; null if it was closed; undefined while it has not ended. */
	#end: Error | null | undefined;
	/** Resolved when something has changed that a loop waits for. */
	#change: Deferred<void> | undefined;

	constructor(size: number) {
		this.#size = size;
	}

	/** Adds a message. Drops the oldest one if too many wait, and all if no loop has begun in time. */
	add(envelope: Envelope): void {
		const now = Date.now();
		const size = now > (this.#keptUntil ??= now + KEPT_MS) ? 0 : this.#size;
		this.#messages.push(envelope);
		while (this.#messages.length > size) {
			const { topic = '', timestamp } = this.#messages.shift() as Envelope;
			const { since, until } = this.#dropped ?? { since: timestamp, until: timestamp };
			this.#dropped = { topic, since: Math.min(since, timestamp), until: Math.max(until, timestamp) };
		}
		this.#changed();
	}

	/** Ends the loop: immediately, or with this error once it has taken the messages that wait. */
	end(error: Error | null): void {
		this.#end = error;
		if (error === null) {
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
	async *read(dropped: (gap: GapNotice) => void, left: () => void): AsyncGenerator<Envelope, void> {
		this.#keptUntil = Infinity;
		try {
			for (;;) {
				const gap = this.#dropped;
				this.#dropped = undefined;
				if (gap !== undefined) dropped(gap);
				const envelope = this.#messages.shift();
				if (envelope !== undefined) yield envelope;
				else if (this.#end === undefined) await (this.#change ??= deferred()).promise;
				else if (this.#end === null) return;
				else throw this.#end;
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
