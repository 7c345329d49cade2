import { Except, ForNode, type Message, MistakableText } from '../wire/frame-messages.ts';
import { type Payload, roughSize, snapshot } from '../wire/payload.ts';
import { isMistakable } from '../wire/payload-forms.ts';
import { quiet, settledWithin, toError } from '../support/promises.ts';

/** A frame that reaches this size is sent immediately. */
const FULL_FRAME_BYTES = 256 * 1024;

export interface OutboundFramesOptions {
	/**
	 * Sends messages to the backend as one frame. Resolves with the number of nodes that the frame was sent to, if
	 * known.
	 */
	readonly send: (channel: string, messages: readonly Message[]) => Promise<number | undefined>;
	/**
	 * Called with the outcome of a frame. Returns the error with which the promises of its messages reject; undefined if
	 * they resolve.
	 */
	readonly onOutcome: (channel: string, outcome: Outcome) => Error | undefined;
}

/** The outcome of publishing a frame: the number of nodes that the frame was sent to, if known, or an error. */
export type Outcome =
	| { readonly nodes: number | undefined }
	| {
			readonly error: Error;
			/** When the frame's first message was published, or earlier, in milliseconds since the epoch. */
			readonly since: number;
	  };

interface Batch {
	readonly messages: Message[];
	bytes: number;
	/** When the first message was published, or earlier, in milliseconds since the epoch. */
	readonly since: number;
	/** Once it is accepted: the number of nodes that it was sent to, if known. */
	nodes: number | undefined;
	readonly promise: Promise<void>;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
}

/**
 * Batches messages to other nodes. Messages to one channel share a frame and a promise. The first frame is sent at the
 * end of the current synchronous code, and holds the messages published by then. The next frame holds the messages that
 * are published in the rest of that turn of the event loop. So a single message is not delayed, and many messages make
 * large frames.
 */
export class OutboundFrames {
	readonly #options: OutboundFramesOptions;
	#batches = new Map<string, Batch>();
	/** When the oldest pending batch was started, in milliseconds since the epoch. */
	#since = 0;
	/** The batches that the backend has neither accepted nor refused yet, with their channels. */
	readonly #unanswered = new Map<Batch, string>();
	/** Set from the first message of a turn until a turn passes without a message. */
	#turn: ReturnType<typeof setImmediate> | undefined;

	constructor(options: OutboundFramesOptions) {
		this.#options = options;
	}

	/**
	 * Adds a message. Resolves when the backend has accepted it; the promise may be ignored.
	 *
	 * @param isEnvelope whether the payload is an encoded envelope
	 */
	add(channel: string, payload: Payload, isEnvelope = false): Promise<void> {
		return this.#add(channel, messageOf(payload, isEnvelope), roughSize(payload)).promise;
	}

	/**
	 * Like {@link add}, for a text that goes to the node that is subscribed to the channel. Keeps its place among the
	 * messages to the channel's sockets.
	 */
	addForNode(channel: string, text: string): Promise<void> {
		return this.#add(channel, new ForNode(text), text.length).promise;
	}

	/** Like {@link addForNode}. Resolves with the number of nodes that the text was sent to, if known. */
	async addCounted(channel: string, text: string): Promise<number | undefined> {
		const batch = this.#add(channel, new ForNode(text), text.length);
		await batch.promise;
		return batch.nodes;
	}

	/** Like {@link add}, for a message that some sockets of the receiving nodes must not get. */
	addExcept(channel: string, payload: Payload, socketIds: readonly string[], isEnvelope: boolean): Promise<void> {
		const except = new Except(socketIds);
		return this.#add(channel, messageOf(payload, isEnvelope), roughSize(payload) + except.bytes, except).promise;
	}

	/** @param except goes into the same frame, before the message that it applies to */
	#add(channel: string, message: Message, size: number, except?: Except): Batch {
		let batch = this.#batches.get(channel);
		if (batch === undefined) {
			if (this.#batches.size === 0) this.#since = Date.now();
			const { promise, resolve, reject } = Promise.withResolvers<void>();
			batch = { messages: [], bytes: 0, since: this.#since, nodes: undefined, promise, resolve, reject };
			this.#batches.set(channel, batch);
			if (this.#turn === undefined) {
				this.#turn = setImmediate(this.#onTurn);
				queueMicrotask(this.#flush);
			}
		}
		if (except !== undefined) batch.messages.push(except);
		batch.messages.push(message);
		batch.bytes += size;
		if (batch.bytes >= FULL_FRAME_BYTES) {
			this.#batches.delete(channel);
			this.#send(channel, batch);
		}
		return batch;
	}

	/**
	 * Sends pending messages. Resolves when every message is settled. Messages that are still pending after the timeout
	 * reject with `late`.
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
			// A bus that throws instead of rejecting must not prevent other frames from being sent.
			queueMicrotask(() => this.#fail(channel, batch, thrown));
		}
	}

	#fail(channel: string, batch: Batch, thrown: unknown): void {
		this.#settle(channel, batch, { error: toError(thrown), since: batch.since });
	}

	#settle(channel: string, batch: Batch, outcome: Outcome): void {
		if (!this.#unanswered.delete(batch)) return;
		const error = this.#options.onOutcome(channel, outcome);
		if (error !== undefined) return fail(batch, error);
		if ('nodes' in outcome) batch.nodes = outcome.nodes;
		batch.resolve();
	}
}

/** Rejects a batch, without causing an unhandled rejection if its promise is ignored. */
function fail({ promise, reject }: Batch, error: Error): void {
	void quiet(promise);
	reject(error);
}

function messageOf(payload: Payload, isEnvelope: boolean): Message {
	const isMarked = !isEnvelope && typeof payload === 'string' && isMistakable(payload);
	return isMarked ? new MistakableText(payload) : snapshot(payload);
}
