import type { AllLimits } from '../limits.ts';
import { memoryBytes } from './frame-bytes.ts';
import type { Frame } from './session.ts';

/**
 * The running message of one socket, and the frames queued behind it. Frames wait unparsed: once parsed, they can take
 * more than twenty times the memory. Created only once a frame must wait or a handler must be awaited.
 */
export class TurnQueue {
	#waiting: Frame[] = [];
	#waitingBytes = 0;
	#running: object | undefined;
	#startedAt = 0;
	#expectedReplies = 0;
	#onAllStarted: (() => void) | undefined;

	/** The message being handled, identified by the token passed to {@link begin}. */
	get running(): object | undefined {
		return this.#running;
	}

	/** The watchdog's tick at which the running message started. */
	get startedAt(): number {
		return this.#startedAt;
	}

	begin(running: object, tick: number): void {
		this.#running = running;
		this.#startedAt = tick;
	}

	/** Called when the running message is finished or no longer awaited. */
	end(): void {
		this.#running = undefined;
	}

	get waiting(): number {
		return this.#waiting.length;
	}

	add(frame: Frame): void {
		this.#waiting.push(frame);
		this.#waitingBytes += memoryBytes(frame);
	}

	/** Takes the next queued frame; undefined while a message is running, or when the queue is empty. */
	next(): Frame | undefined {
		if (this.#running !== undefined) return undefined;
		const frame = this.#waiting.shift();
		if (frame !== undefined) this.#waitingBytes -= memoryBytes(frame);
		return frame;
	}

	/** Whether as many messages or bytes are queued as the limits allow. */
	isFull({ queuedMessages, queuedMessageBytes }: AllLimits): boolean {
		return this.#waiting.length >= queuedMessages || this.#waitingBytes >= queuedMessageBytes;
	}

	/** Whether at most half as many messages and bytes are queued as the limits allow. */
	isHalfEmpty({ queuedMessages, queuedMessageBytes }: AllLimits): boolean {
		return this.#waiting.length <= queuedMessages / 2 && this.#waitingBytes <= queuedMessageBytes / 2;
	}

	/** Whether the running handler awaits a reply from its own client. */
	get expectsReply(): boolean {
		return this.#expectedReplies > 0;
	}

	expectReply(): void {
		this.#expectedReplies++;
	}

	replySettled(): void {
		this.#expectedReplies--;
	}

	/** Calls `then` once the last queued message has started; the queue must not be empty. */
	whenAllStarted(then: () => void): void {
		this.#onAllStarted = then;
	}

	notifyIfAllStarted(): void {
		if (this.#waiting.length > 0) return;
		this.#onAllStarted?.();
		this.#onAllStarted = undefined;
	}

	/** Drops all queued frames. */
	drop(): void {
		this.#waiting = [];
		this.#waitingBytes = 0;
		this.notifyIfAllStarted();
	}
}
