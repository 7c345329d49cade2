import type { FramePayload } from './frame-bytes.ts';
import { Opening } from './openings.ts';
import { RateLimit } from './rate-limit.ts';
import type { Frame, Inbound, MessageDispatcher, Session, SessionHost } from './session.ts';
import { TurnQueue } from './turn-queue.ts';

/**
 * Passes a connection's messages from the socket to the dispatcher: checks their rate, and runs them in order, one at a
 * time. While too many are queued, reading from the socket is paused. Created with the connection's first message.
 */
export class InboundMessages implements Inbound {
	readonly #session: Session;
	readonly #host: SessionHost;
	readonly #rate: RateLimit;
	/** Created with the first message that must wait, or whose handler must be awaited. */
	#turns: TurnQueue | undefined;
	/** Whether a frame arrived before the guards had passed. */
	#hasFirstFrame = false;
	#isPaused = false;

	constructor(session: Session, host: SessionHost) {
		this.#session = session;
		this.#host = host;
		this.#rate = new RateLimit(host.limits);
	}

	get #dispatcher(): MessageDispatcher {
		return this.#session.isSpeaker ? this.#host.typed : this.#host.raw;
	}

	/** Receives a message from the socket. */
	receive(frame: Frame): void {
		const { limits, keepAlive } = this.#host;
		const dispatcher = this.#dispatcher;
		const rate = this.#rate.take(frame, limits, keepAlive.stalls);
		if (rate === 'flood') return this.#host.onFlood(this.#session);
		const { state } = this.#session;
		if (state === 'guarding') return this.#receiveEarly(frame);
		if (state === 'closing') return dispatcher.onLateMessage(this.#session, frame);
		if (rate === 'over' && !dispatcher.onRateExceeded(this.#session, frame)) return;
		this.#handleInTurn(frame);
	}

	/**
	 * Counts a ping or an unsolicited pong. Such a frame can't be refused, so only a flood has consequences. Returns
	 * false if the connection was closed.
	 */
	countControlFrame(payload: FramePayload): boolean {
		const { limits, keepAlive } = this.#host;
		if (this.#rate.take(payload, limits, keepAlive.stalls) !== 'flood') return true;
		this.#host.onFlood(this.#session);
		return false;
	}

	#receiveEarly(frame: Frame): void {
		if (this.#hasFirstFrame) return this.hold(frame);
		this.#hasFirstFrame = true;
		this.#host.onFirstFrame(this.#session, frame);
	}

	hold(frame: Frame): void {
		this.#turns ??= new TurnQueue();
		this.#queue(this.#turns, frame);
	}

	/** Handles the frames held for the guards. */
	releaseHeld(): void {
		if (this.#turns !== undefined) this.#runQueued(this.#turns);
	}

	#handleInTurn(frame: Frame): void {
		const { limits } = this.#host;
		const dispatcher = this.#dispatcher;
		const turns = this.#turns;
		if (turns?.running === undefined) return dispatcher.handle(this.#session, frame);
		if (dispatcher.handleOnArrival(this.#session, frame)) return;
		if (turns.expectsReply && turns.isFull(limits)) return dispatcher.onQueueFull(this.#session, frame);
		this.#queue(turns, frame);
	}

	#queue(turns: TurnQueue, frame: Frame): void {
		turns.add(frame);
		// Even after pausing, the remaining frames of the current read (64 KiB at most) still arrive.
		if (!turns.expectsReply && turns.isFull(this.#host.limits)) this.#pause();
	}

	begin(running: object): void {
		this.#turns ??= new TurnQueue();
		this.#turns.begin(running, this.#host.watchdog.tick);
	}

	finished(running: object): void {
		if (this.#turns?.running === running) this.#endTurn(this.#turns);
	}

	/** Stops waiting for the running handler. A connection that opens has a time limit of its own. */
	timedOut(): void {
		if (this.#turns?.running instanceof Opening) return;
		this.#dispatcher.onTimeout(this.#session);
		if (this.#turns !== undefined) this.#endTurn(this.#turns);
	}

	#endTurn(turns: TurnQueue): void {
		turns.end();
		this.#runQueued(turns);
		if (turns.running === undefined && this.#session.state === 'closed') this.#host.onFinished(this.#session);
	}

	#runQueued(turns: TurnQueue): void {
		const dispatcher = this.#dispatcher;
		for (let frame = turns.next(); frame !== undefined; frame = turns.next()) dispatcher.handle(this.#session, frame);
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
		if (turns !== undefined && !turns.expectsReply && !turns.isHalfEmpty(this.#host.limits)) return;
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
	}
}
