import { RateLimit } from './rate-limit.ts';
import type { Frame, Inbound, Session, SessionHost } from './session.ts';
import { TurnQueue } from './turn-queue.ts';

/**
 * Passes a connection's messages from the socket to the dispatcher: checks their rate, and runs them in order, one at a
 * time. While too many are queued, reading from the socket is paused. Created with the connection's first message.
 */
export class InboundMessages implements Inbound {
	readonly #session: Session;
	readonly #host: SessionHost;
	readonly #rate: RateLimit;
	/** Created with the first message whose handler must be awaited. */
	#turns: TurnQueue | undefined;
	/** Frames that arrived before the guards had passed. */
	#held: Frame[] | undefined;
	#isPaused = false;

	constructor(session: Session, host: SessionHost) {
		this.#session = session;
		this.#host = host;
		this.#rate = new RateLimit(host.limits);
	}

	/** Receives a message from the socket. */
	receive(frame: Frame): void {
		const { limits, dispatcher } = this.#host;
		const rate = this.#rate.take(frame, limits);
		if (rate === 'flood') return this.#host.onFlood(this.#session);
		const { state } = this.#session;
		if (state === 'guarding') return this.#receiveEarly(frame);
		if (state === 'closing') return dispatcher.onLateMessage(this.#session, frame);
		if (rate === 'over' && !dispatcher.onRateExceeded(this.#session, frame)) return;
		this.#read(frame);
	}

	#receiveEarly(frame: Frame): void {
		if (this.#held !== undefined) return this.hold(frame);
		this.#held = [];
		this.#host.onFirstFrame(this.#session, frame);
	}

	hold(frame: Frame): void {
		this.#held?.push(frame);
		if ((this.#held?.length ?? 0) >= this.#host.limits.queuedMessages) this.#pause();
	}

	/** Handles the frames held for the guards. */
	releaseHeld(): void {
		const held = this.#held;
		if (held === undefined) return;
		this.#held = undefined;
		for (const frame of held) {
			// The handler of an earlier frame may have closed the connection.
			if (this.#session.state !== 'open') return;
			this.#read(frame);
		}
		this.#resumeIfShort();
	}

	#read(frame: Frame): void {
		const { dispatcher, limits } = this.#host;
		const work = dispatcher.read(this.#session, frame);
		if (work === undefined) return;
		const turns = this.#turns;
		if (turns?.running === undefined) return dispatcher.run(this.#session, work);
		if (turns.expectsReply && turns.waiting >= limits.queuedMessages) {
			return dispatcher.onQueueFull(this.#session, work);
		}
		turns.add(work);
		// Even after pausing, the remaining frames of the current read (64 KiB at most) still arrive.
		if (!turns.expectsReply && turns.waiting >= limits.queuedMessages) this.#pause();
	}

	begin(running: object): void {
		this.#turns ??= new TurnQueue();
		this.#turns.begin(running, this.#host.watchdog.tick);
	}

	finished(running: object): void {
		if (this.#turns?.running === running) this.#runNext(this.#turns);
	}

	/** Stops waiting for the running handler. */
	timedOut(): void {
		this.#host.dispatcher.onTimeout(this.#session);
		if (this.#turns !== undefined) this.#runNext(this.#turns);
	}

	#runNext(turns: TurnQueue): void {
		const { dispatcher } = this.#host;
		turns.end();
		for (let work = turns.next(); work !== undefined; work = turns.next()) dispatcher.run(this.#session, work);
		turns.notifyIfAllStarted();
		this.#resumeIfShort();
	}

	/**
	 * Stops reading from the socket, unless the application itself has paused it: then only the application resumes it.
	 */
	#pause(): void {
		const { ws } = this.#session;
		if (this.#isPaused || ws.isPaused) return;
		this.#isPaused = true;
		ws.pause();
	}

	#resumeIfShort(): void {
		if (!this.#isPaused) return;
		const turns = this.#turns;
		const resumeAt = this.#host.limits.queuedMessages / 2;
		if (turns !== undefined && !turns.expectsReply && turns.waiting > resumeAt) return;
		this.#isPaused = false;
		this.#session.ws.resume();
	}

	get isPaused(): boolean {
		return this.#isPaused;
	}

	get running(): object | undefined {
		return this.#turns?.running;
	}

	/** The watchdog's tick at which the running handler started. */
	get startedAt(): number {
		return this.#turns?.startedAt ?? 0;
	}

	/** Calls `then` once the last queued message has started; immediately if none is queued. */
	whenAllStarted(then: () => void): void {
		if (this.#turns !== undefined && this.#turns.waiting > 0) this.#turns.whenAllStarted(then);
		else then();
	}

	expectReply(): void {
		this.#turns ??= new TurnQueue();
		this.#turns.expectReply();
		this.#resumeIfShort();
	}

	replySettled(): void {
		this.#turns?.replySettled();
	}

	charge(messages: number): void {
		this.#rate.charge(messages);
	}

	refund(): void {
		this.#rate.refund(this.#host.limits);
	}

	/** Drops all messages that have not started. */
	drop(): void {
		this.#turns?.drop();
		this.#held = undefined;
	}

	/** Drops the frames held for the guards. */
	dropHeld(): void {
		this.#held = undefined;
	}
}
