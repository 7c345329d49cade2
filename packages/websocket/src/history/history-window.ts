import type { HistoryBounds } from './history-store.ts';

/** A message of a topic, as it is sent to clients. */
export interface Framed {
	readonly offset: number;
	readonly prev: number;
	readonly frame: string | Uint8Array;
}

/**
 * The newest messages of a topic without a hole, up to the last one that was delivered on this node. It begins empty,
 * grows at its end with what is delivered and at its beginning with what is read.
 */
export class HistoryWindow {
	readonly epoch: string;
	readonly #bounds: HistoryBounds;
	#messages: Framed[] = [];
	#size = 0;
	/** The window has all messages after this offset. */
	#from: number;
	/** Whether the store has no earlier messages, or none that lead up to these. */
	isComplete = false;

	/** @param offset that of the last message that was delivered */
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

	/** A message was delivered. */
	push(message: Framed): void {
		this.#messages.push(message);
		this.#size += message.frame.length;
		// A reader that still needs them reads them again. Half at a time, because each drop moves all that remain.
		if (this.#messages.length > 2 * this.#bounds.size || this.#size > 2 * this.#bounds.bytes + FRAMES_OVERHEAD)
			this.#drop(Math.ceil(this.#messages.length / 2));
	}

	#drop(count: number): void {
		const dropped = this.#messages.splice(0, count);
		for (const { frame } of dropped) this.#size -= frame.length;
		this.#from = dropped.at(-1)?.offset ?? this.#from;
		this.isComplete = false;
	}

	/** The messages up to and including the one at `from` were read, oldest first; none if none lead up to it. */
	prepend(messages: readonly Framed[], isAll: boolean): void {
		const [first] = messages;
		this.isComplete = isAll || first === undefined || first.prev === 0;
		if (first === undefined) return;
		this.#messages = [...messages, ...this.#messages];
		for (const { frame } of messages) this.#size += frame.length;
		this.#from = first.prev;
	}

	/**
	 * Returns the index of the first message after an offset; undefined unless that is `from` or a message in the
	 * window.
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

/** Frames are larger than what is stored; with small bounds, not every new message may make the window drop others. */
const FRAMES_OVERHEAD = 1024 * 1024;
