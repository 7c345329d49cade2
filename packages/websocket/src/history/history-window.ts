import { plainOf } from '../wire/payload-forms.ts';
import type { HistoryBounds } from './history-store.ts';

/** A message of a topic, in the forms in which it is sent to clients. */
export interface Framed {
	readonly offset: number;
	readonly prev: number;
	/** The form for clients that speak the protocol. */
	readonly frame: string | Uint8Array;
	/** The form for plain clients, which is never longer than the frame; see {@link plainFormOf}. */
	plain?: string | Uint8Array;
}

/** Returns the form of a message for plain clients. Makes it only once, for all of them that catch up. */
export function plainFormOf(message: Framed): string | Uint8Array {
	return (message.plain ??= plainOf(message.frame));
}

/**
 * Holds the newest messages of a topic, without holes, up to the last one delivered on this node. The window starts
 * empty. New messages are added at its end as they are delivered, and older ones at its beginning as they are read from
 * the store.
 */
export class HistoryWindow {
	readonly epoch: string;
	readonly #bounds: HistoryBounds;
	#messages: Framed[] = [];
	#size = 0;
	/** The offset after which the window has all messages. */
	#from: number;
	/**
	 * Whether reading can't extend the window: the store has no earlier messages, or they do not reach up to the window.
	 */
	isComplete = false;

	/** @param offset the offset of the last message delivered on this node */
	constructor(epoch: string, offset: number, bounds: HistoryBounds) {
		this.epoch = epoch;
		this.#from = offset;
		this.#bounds = bounds;
		this.isComplete = offset === 0;
	}

	get from(): number {
		return this.#from;
	}

	get messages(): readonly Framed[] {
		return this.#messages;
	}

	/** Adds a message that is being delivered. */
	push(message: Framed): void {
		this.#messages.push(message);
		this.#size += message.frame.length;
		// Readers can read dropped messages from the store again. Each drop removes half of the messages, because it has
		// to move all that remain.
		if (this.#messages.length > 2 * this.#bounds.size || this.#size > 2 * this.#bounds.bytes + FRAMES_OVERHEAD)
			this.#drop(Math.ceil(this.#messages.length / 2));
	}

	#drop(count: number): void {
		const dropped = this.#messages.splice(0, count);
		for (const { frame } of dropped) this.#size -= frame.length;
		this.#from = dropped.at(-1)?.offset ?? this.#from;
		this.isComplete = false;
	}

	/**
	 * Adds messages that were read from the store, oldest first. The last one has the offset `from`. The list is empty
	 * if the store has no messages that reach up to `from`.
	 *
	 * @param isAll whether the store has no earlier messages
	 */
	prepend(messages: readonly Framed[], isAll: boolean): void {
		const [first] = messages;
		this.isComplete = isAll || first === undefined || first.prev === 0;
		if (first === undefined) return;
		this.#messages = [...messages, ...this.#messages];
		for (const { frame } of messages) this.#size += frame.length;
		this.#from = first.prev;
	}

	/**
	 * Returns the index of the first message after an offset; undefined unless the offset is `from` or that of a message
	 * in the window.
	 */
	indexAfter(offset: number): number | undefined {
		if (offset === this.#from) return 0;
		let low = 0;
		let high = this.#messages.length - 1;
		while (low <= high) {
			const middle = (low + high) >> 1;
			const { offset: found } = this.#messages[middle] as Framed;
			if (found === offset) return middle + 1;
			if (found < offset) low = middle + 1;
			else high = middle - 1;
		}
		return undefined;
	}
}

/** Frames are larger than stored messages: without this allowance, small bounds would cause a drop on every push. */
const FRAMES_OVERHEAD = 1024 * 1024;
