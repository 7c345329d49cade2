import type { Work } from './session.ts';

/**
 * The running message of one socket, and the messages queued behind it. Created only for sockets whose messages ever
 * have to wait.
 */
export class TurnQueue {
	#waiting: Work[] = [];
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

	add(work: Work): void {
		this.#waiting.push(work);
	}

	/** Takes the next queued message; undefined while one is running, or when the queue is empty. */
	next(): Work | undefined {
		return this.#running === undefined ? this.#waiting.shift() : undefined;
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

	/** Drops all queued messages. */
	drop(): void {
		this.#waiting = [];
		this.notifyIfAllStarted();
	}
}
