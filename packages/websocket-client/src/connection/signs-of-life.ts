import type { WebSocketLike } from '../options.ts';

/**
 * Notices whether the other side of a socket is alive after a ping: a frame has arrived, or bytes that wait ahead of
 * the ping were written. It can't be answered before it is written.
 */
export class SignsOfLife {
	readonly #socket: WebSocketLike;
	#hasSign = false;
	/** How many bytes must still be written before the ping. Not positive once it has been written. */
	#aheadOfPing = 0;
	/** The value of `buffered` when it was last read. Maintained only while a ping is to be written. */
	#lastBuffered = 0;

	constructor(socket: WebSocketLike) {
		this.#socket = socket;
	}

	/** How many bytes wait to be written. React Native's sockets don't have the property. */
	get buffered(): number {
		return this.#socket.bufferedAmount ?? 0;
	}

	/** Sends a frame. */
	send(text: string): void {
		this.#watch();
		this.#socket.send(text);
		this.#lastBuffered = this.buffered;
	}

	/** Must be called right before a ping is sent. */
	forget(): void {
		this.#hasSign = false;
		this.#aheadOfPing = this.#lastBuffered = this.buffered;
	}

	/** Must be called when a frame has arrived. */
	arrived(): void {
		this.#hasSign = true;
	}

	/** Returns whether there was a sign since the last call or ping. */
	take(): boolean {
		this.#watch();
		const hasSign = this.#hasSign;
		this.#hasSign = false;
		return hasSign;
	}

	#watch(): void {
		if (this.#aheadOfPing <= 0) return;
		const written = this.#lastBuffered - this.buffered;
		this.#lastBuffered -= written;
		this.#aheadOfPing -= written;
		this.#hasSign ||= written > 0;
	}
}
