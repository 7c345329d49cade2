/** A message as it was read. */
export type Work = object | string;

/** What of one socket is being handled, and what waits for its turn. Made for sockets that ever have to wait. */
export class TurnQueue {
	#waiting: Work[] = [];
	#running: object | undefined;
	#begunAt = 0;
	#expectedReplies = 0;
	#onBegun: (() => void) | undefined;

	/** What is being waited for. */
	get running(): object | undefined {
		return this.#running;
	}

	/** By which tick that was begun. */
	get begunAt(): number {
		return this.#begunAt;
	}

	begin(running: object, tick: number): void {
		this.#running = running;
		this.#begunAt = tick;
	}

	get waiting(): number {
		return this.#waiting.length;
	}

	add(work: Work): void {
		this.#waiting.push(work);
	}

	/** Whether what is being handled waits for something that its own client has to say. */
	get expectsReply(): boolean {
		return this.#expectedReplies > 0;
	}

	expectReply(): void {
		this.#expectedReplies++;
	}

	expectReplyNoMore(): void {
		this.#expectedReplies--;
	}

	/** What was being handled is over: begins what waits, until one has to be waited for. */
	next(run: (work: Work) => void): void {
		this.#running = undefined;
		while (this.#running === undefined && this.#waiting.length > 0) run(this.#waiting.shift() as Work);
		if (this.#waiting.length === 0) this.#tellBegun();
	}

	/** Calls `then` once the last that waits was begun; something must wait. */
	whenBegun(then: () => void): void {
		this.#onBegun = then;
	}

	/** Nothing more is begun. */
	drop(): void {
		this.#waiting = [];
		this.#tellBegun();
	}

	#tellBegun(): void {
		this.#onBegun?.();
		this.#onBegun = undefined;
	}
}
