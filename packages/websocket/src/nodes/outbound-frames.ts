import { type Payload, roughSize, snapshot } from '../wire/payload.ts';
import { quiet, settledWithin, toError } from '../support/promises.ts';

/** A frame that reaches this size is sent at once. */
const FULL_FRAME_BYTES = 256 * 1024;

export interface OutboundFramesOptions {
	/** Hands messages to the backend as one frame. Resolves with the number of nodes it went to, where known. */
	readonly send: (channel: string, messages: readonly (string | Uint8Array)[]) => Promise<number | undefined>;
	/** Turns the outcome of a frame into the error that its messages reject with, or undefined when they resolve. */
	readonly onOutcome: (channel: string, outcome: Outcome) => Error | undefined;
}

/** The outcome of publishing a frame: accepted, with the number of nodes it went to where known, or not. */
export type Outcome =
	| { readonly nodes: number | undefined }
	| {
			readonly error: Error;
			/** No later than its first message, in milliseconds since the epoch. */
			readonly since: number;
	  };

interface Batch {
	readonly messages: (string | Uint8Array)[];
	bytes: number;
	/** No later than its first message, in milliseconds since the epoch. */
	readonly since: number;
	readonly promise: Promise<void>;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
}

/**
 * Messages on their way to other nodes. Messages to one channel share a frame and a promise: first all that one
 * synchronous run of code publishes, then all of the rest of that turn of the event loop. A single message does not
 * wait, and many make large frames.
 */
export class OutboundFrames {
	readonly #options: OutboundFramesOptions;
	#batches = new Map<string, Batch>();
	/** When the oldest pending batch began, in milliseconds since the epoch. */
	#since = 0;
	/** With the channel of each. */
	readonly #unanswered = new Map<Batch, string>();
	/** Set from the first message of a turn until a turn passes without any. */
	#turn: ReturnType<typeof setImmediate> | undefined;

	constructor(options: OutboundFramesOptions) {
		this.#options = options;
	}

	/** Resolves when the backend has accepted the message. The promise may be ignored. */
	add(channel: string, payload: Payload): Promise<void> {
		let batch = this.#batches.get(channel);
		if (batch === undefined) {
			if (this.#batches.size === 0) this.#since = Date.now();
			const { promise, resolve, reject } = Promise.withResolvers<void>();
			batch = { messages: [], bytes: 0, since: this.#since, promise, resolve, reject };
			this.#batches.set(channel, batch);
			if (this.#turn === undefined) {
				this.#turn = setImmediate(this.#onTurn);
				queueMicrotask(this.#flush);
			}
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
	 * Sends pending messages. Resolves when every message is settled; those still pending after the timeout reject with
	 * `late`.
	 */
	async drain(timeoutMs: number, late: Error): Promise<void> {
		this.#flush();
		if (this.#unanswered.size === 0) return;
		await settledWithin(timeoutMs, Promise.allSettled(Array.from(this.#unanswered.keys(), ({ promise }) => promise)));
		for (const [batch, channel] of this.#unanswered) {
			this.#options.onOutcome(channel, { error: late, since: batch.since });
			fail(batch, late);
		}
		this.#unanswered.clear();
	}

	readonly #onTurn = (): void => {
		if (this.#batches.size === 0) {
			this.#turn = undefined;
			return;
		}
		this.#turn = setImmediate(this.#onTurn);
		this.#flush();
	};

	readonly #flush = (): void => {
		if (this.#batches.size === 0) return;
		const batches = this.#batches;
		this.#batches = new Map();
		for (const [channel, batch] of batches) this.#send(channel, batch);
	};

	#send(channel: string, batch: Batch): void {
		this.#unanswered.set(batch, channel);
		try {
			Promise.resolve(this.#options.send(channel, batch.messages)).then(
				(nodes) => this.#settle(channel, batch, { nodes }),
				(thrown: unknown) => this.#fail(channel, batch, thrown),
			);
		} catch (thrown) {
			// A bus that throws instead of rejecting must not take the other frames with it.
			queueMicrotask(() => this.#fail(channel, batch, thrown));
		}
	}

	#fail(channel: string, batch: Batch, thrown: unknown): void {
		this.#settle(channel, batch, { error: toError(thrown), since: batch.since });
	}

	#settle(channel: string, batch: Batch, outcome: Outcome): void {
		if (!this.#unanswered.delete(batch)) return;
		const error = this.#options.onOutcome(channel, outcome);
		if (error === undefined) batch.resolve();
		else fail(batch, error);
	}
}

/** Rejects a batch without an unhandled rejection where its promise is ignored. */
function fail({ promise, reject }: Batch, error: Error): void {
	void quiet(promise);
	reject(error);
}
