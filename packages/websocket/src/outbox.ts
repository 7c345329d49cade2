import { type Payload, roughSize, snapshot } from './payload.ts';
import { quiet, toError } from './settled.ts';

/** A frame that reaches this many bytes goes out without waiting for the end of the tick. */
const FULL_FRAME_BYTES = 256 * 1024;

export interface OutboxOptions {
	/** Hands messages to the backend as one frame. Resolves with the number of nodes it went to, where known. */
	readonly send: (channel: string, messages: readonly (string | Uint8Array)[]) => Promise<number | undefined>;
	/** What the outcome of a frame means to those who await its messages: an error, or undefined when all is well. */
	readonly verdict: (channel: string, outcome: Outcome) => Error | undefined;
}

/** What became of a frame: accepted, with the number of nodes it went to where known, or not. */
export type Outcome =
	| { readonly nodes: number | undefined }
	| {
			readonly error: Error;
			/** When the first of its messages was published, in milliseconds since the epoch. */
			readonly since: number;
	  };

interface Batch {
	readonly messages: (string | Uint8Array)[];
	bytes: number;
	readonly since: number;
	readonly promise: Promise<void>;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
}

/** Messages on their way to other nodes. Those for one channel in one tick share one frame and one promise. */
export class Outbox {
	readonly #options: OutboxOptions;
	readonly #batches = new Map<string, Batch>();
	readonly #unanswered = new Set<Batch>();
	#scheduled: ReturnType<typeof setImmediate> | undefined;

	constructor(options: OutboxOptions) {
		this.#options = options;
	}

	/** Resolves when the backend has accepted the message. Nobody has to await it. */
	add(channel: string, payload: Payload): Promise<void> {
		let batch = this.#batches.get(channel);
		if (batch === undefined) {
			const { promise, resolve, reject } = Promise.withResolvers<void>();
			batch = { messages: [], bytes: 0, since: Date.now(), promise: quiet(promise), resolve, reject };
			this.#batches.set(channel, batch);
			this.#scheduled ??= setImmediate(() => this.#flush());
		}
		batch.messages.push(snapshot(payload));
		batch.bytes += roughSize(payload);
		if (batch.bytes >= FULL_FRAME_BYTES) {
			this.#batches.delete(channel);
			this.#send(channel, batch);
		}
		return batch.promise;
	}

	/**
	 * Sends what waits; resolves when every message has its answer, good or bad. What has none when the time is over rejects with
	 * `late`.
	 */
	async drain(timeoutMs: number, late: Error): Promise<void> {
		this.#flush();
		if (this.#unanswered.size === 0) return;
		const { promise: timeout, resolve } = Promise.withResolvers<void>();
		const timer = setTimeout(resolve, timeoutMs);
		await Promise.race([Promise.allSettled(Array.from(this.#unanswered, ({ promise }) => promise)), timeout]);
		clearTimeout(timer);
		for (const batch of this.#unanswered) batch.reject(late);
		this.#unanswered.clear();
	}

	#flush(): void {
		clearImmediate(this.#scheduled);
		this.#scheduled = undefined;
		const batches = [...this.#batches];
		this.#batches.clear();
		for (const [channel, batch] of batches) this.#send(channel, batch);
	}

	#send(channel: string, batch: Batch): void {
		const settle = (outcome: Outcome): void => {
			if (!this.#unanswered.delete(batch)) return;
			const error = this.#options.verdict(channel, outcome);
			if (error === undefined) batch.resolve();
			else batch.reject(error);
		};
		this.#unanswered.add(batch);
		// A bus may throw where it should reject; that must not take the other frames of the tick with it.
		Promise.try(() => this.#options.send(channel, batch.messages)).then(
			(nodes) => settle({ nodes }),
			(thrown: unknown) => settle({ error: toError(thrown), since: batch.since }),
		);
	}
}
