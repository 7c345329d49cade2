import type { SocketData } from '@orijs/websocket';
import type { Slot } from '../admission/connection-slots.ts';
import type { AppSocket } from '../app-socket.ts';
import type { AllLimits } from '../limits.ts';
import type { HandlerWatchdog } from './handler-watchdog.ts';
import { Rate } from './rate-limit.ts';
import { TurnQueue, type Work } from './turn-queue.ts';

/** A raw WebSocket message. */
export type Frame = string | Buffer;

/** What happens to a connection's messages. */
export interface Inbound {
	/** Looks at a message as it arrives. Returns what is to be done in its turn, or undefined when nothing is left to do. */
	read(session: Session, frame: Frame): Work | undefined;
	/** Does it. What has to wait says so by `session.begin`, and when it is over by `session.finished`. Never throws. */
	run(session: Session, work: Work): void;
	/** A message came faster than is allowed. Returns whether it is to be handled all the same. */
	tooFast(session: Session, frame: Frame): boolean;
	/** So many messages wait that no more may, but reading must go on, for the answer that a handler waits for. */
	tooMany(session: Session, work: Work): void;
	/** A message came when nothing more is begun. */
	tooLate(session: Session, frame: Frame): void;
	/** What is running has taken too long: the next message is about to be handled. */
	giveUp(session: Session): void;
}

/** What all sessions of an endpoint share. */
export interface SessionHost {
	readonly limits: AllLimits;
	readonly inbound: Inbound;
	readonly overdue: HandlerWatchdog;
	/** The first frame of a connection that has guards to pass. */
	begin(session: Session, frame: Frame): void;
	/** It went on sending too fast. */
	flooded(session: Session): void;
	/** Its client reads too slowly. */
	slow(session: Session): void;
}

/**
 * `guarding`: it neither receives nor sends until its guards have passed. `open`: messages are handled. `closing`: no
 * more messages are taken. `closed`: the connection is gone; what had arrived before is still handled.
 */
export type SessionState = 'guarding' | 'open' | 'closing' | 'closed';

/**
 * One connection, from its upgrade to its end: what handlers find in `ws.data`, where only what {@link SocketData} has is their
 * business, and all else is private or on the prototype. Its messages are handled in order, one at a time;
 * while more of them wait than may, nothing is read from the socket.
 *
 * There are as many as connections, most of them idle: what not every one needs is made when it is needed.
 */
export class Session implements SocketData<object> {
	readonly socketId: string = crypto.randomUUID();
	data: object;
	// The registry gives it a set of its own when the socket is added.
	readonly topics: ReadonlySet<string> = NO_TOPICS;

	readonly #host: SessionHost;
	readonly #slot: Slot;
	#state: SessionState = 'guarding';
	#wasOpened = false;
	#isPaused = false;
	#ws: AppSocket | undefined;
	/** What the guards have set; where there are none, from when somebody asks. */
	#values: object | undefined;
	/** From the first message on. */
	#rate: Rate | undefined;
	/** From the first message on that had to be waited for. */
	#turns: TurnQueue | undefined;
	/** Frames that came before the guards had passed. */
	#early: Frame[] | undefined;
	/** Aborted when the connection has ended; made when somebody asks. */
	#ended: AbortController | undefined;
	#pendingAnswers = 0;
	#droppingSince: number | undefined;
	#hasDropped = false;

	constructor(host: SessionHost, data: object, slot: Slot) {
		this.#host = host;
		this.data = data;
		this.#slot = slot;
	}

	// Its life

	get state(): SessionState {
		return this.#state;
	}

	get isOpen(): boolean {
		return this.#state === 'open';
	}

	/** Whether it ever was open: its guards have passed. */
	get wasOpened(): boolean {
		return this.#wasOpened;
	}

	/** The socket; there is one from `attach` on. */
	get ws(): AppSocket {
		return this.#ws as AppSocket;
	}

	/** Its room among the connections there may be. */
	get slot(): Slot {
		return this.#slot;
	}

	/** The upgrade is through. */
	attach(ws: AppSocket): void {
		this.#ws = ws;
	}

	/** What the guards have set, and handlers may. */
	get values(): object {
		this.#values ??= {};
		return this.#values;
	}

	/** The guards have passed, with what they have set. */
	open(values?: object): void {
		this.#values = values;
		this.#state = 'open';
		this.#wasOpened = true;
	}

	/** Aborted when the connection has ended. */
	get signal(): AbortSignal {
		this.#ended ??= new AbortController();
		if (this.#state === 'closed') this.#ended.abort(CONNECTION_ENDED);
		return this.#ended.signal;
	}

	/** Takes no more messages; those that have arrived are still handled. */
	finish(): void {
		if (this.#state !== 'closed') this.#state = 'closing';
	}

	/** Ends the connection. */
	end(code: number, reason: string): void {
		this.ws.close(code, reason);
	}

	/** This side ends the connection: what has arrived and was not begun is not handled any more. */
	ending(): void {
		this.#turns?.drop();
		this.#early = undefined;
		this.finish();
	}

	/** The connection is gone. */
	closed(): void {
		this.#state = 'closed';
		this.#early = undefined;
		this.#ended?.abort(CONNECTION_ENDED);
	}

	/** Whether all is handled and answered that has arrived, and on its way what was sent. */
	get isDone(): boolean {
		// Nothing waits without something to wait for.
		if (this.isBusy) return false;
		return this.#state === 'closed' || (this.#pendingAnswers === 0 && this.ws.getBufferedAmount() === 0);
	}

	// What its client says

	/** A message has arrived. */
	receive(frame: Frame): void {
		if (this.#state === 'closed') return;
		const { limits, inbound } = this.#host;
		this.#rate ??= new Rate(limits);
		const verdict = this.#rate.take(frame, limits);
		if (verdict === 'flood') return this.#host.flooded(this);
		if (this.#state === 'guarding') return this.#receiveEarly(frame);
		if (this.#state === 'closing') return inbound.tooLate(this, frame);
		if (verdict === 'over' && !inbound.tooFast(this, frame)) return;
		this.#read(frame);
	}

	#receiveEarly(frame: Frame): void {
		if (this.#early !== undefined) return this.wait(frame);
		this.#early = [];
		this.#host.begin(this, frame);
	}

	/** Keeps a frame until the guards have passed. */
	wait(frame: Frame): void {
		this.#early?.push(frame);
		if ((this.#early?.length ?? 0) >= this.#host.limits.queuedMessages) this.#pause();
	}

	/** Handles what came before the session was open. */
	catchUp(): void {
		const early = this.#early;
		if (early === undefined) return;
		this.#early = undefined;
		for (const frame of early) {
			// A handler may have closed it.
			if (this.#state !== 'open') return;
			this.#read(frame);
		}
		this.#resumeIfShort();
	}

	#read(frame: Frame): void {
		const { inbound, limits } = this.#host;
		const work = inbound.read(this, frame);
		if (work === undefined) return;
		const turns = this.#turns;
		if (turns?.running === undefined) return inbound.run(this, work);
		if (turns.expectsReply && turns.waiting >= limits.queuedMessages) return inbound.tooMany(this, work);
		turns.add(work);
		// What was read from the socket already still comes: no more than one read, 64 KiB.
		if (!turns.expectsReply && turns.waiting >= limits.queuedMessages) this.#pause();
	}

	/** What is run now is to be waited for. */
	begin(running: object): void {
		this.#turns ??= new TurnQueue();
		this.#turns.begin(running, this.#host.overdue.tick);
	}

	/** What was begun is over. Nothing happens if it was not begun, or given up. */
	finished(running: object): void {
		if (this.#turns?.running === running) this.#next(this.#turns);
	}

	/** What is running has taken too long. */
	overdue(): void {
		this.#host.inbound.giveUp(this);
		if (this.#turns !== undefined) this.#next(this.#turns);
	}

	#next(turns: TurnQueue): void {
		turns.next((work) => this.#host.inbound.run(this, work));
		this.#resumeIfShort();
	}

	/** Reads no more from the socket. The application may do so itself, which is then its own affair. */
	#pause(): void {
		if (this.#isPaused || this.ws.isPaused) return;
		this.#isPaused = true;
		this.ws.pause();
	}

	#resumeIfShort(): void {
		if (!this.#isPaused) return;
		const turns = this.#turns;
		const mayWait = this.#host.limits.queuedMessages / 2;
		if (turns !== undefined && !turns.expectsReply && turns.waiting > mayWait) return;
		this.#isPaused = false;
		this.ws.resume();
	}

	/** Whether nothing is read from it because too much waits. */
	get isPaused(): boolean {
		return this.#isPaused;
	}

	/** What is waited for. */
	get running(): object | undefined {
		return this.#turns?.running;
	}

	/** Whether something is waited for. */
	get isBusy(): boolean {
		return this.running !== undefined;
	}

	/** By which tick of the host that was begun. */
	get begunAt(): number {
		return this.#turns?.begunAt ?? 0;
	}

	/** Calls `then` once the last message that has arrived was begun: at once if none waits. */
	whenBegun(then: () => void): void {
		if (this.#turns !== undefined && this.#turns.waiting > 0) this.#turns.whenBegun(then);
		else then();
	}

	/** A handler asks this very client: the answer may come after what can't be handled before that handler is through. */
	expectReply(): void {
		this.#turns ??= new TurnQueue();
		this.#turns.expectReply();
		this.#resumeIfShort();
	}

	/** It has its answer, or has given up. */
	expectReplyNoMore(): void {
		this.#turns?.expectReplyNoMore();
	}

	/** How many subscriptions of this client wait for their answers. */
	get pendingAnswers(): number {
		return this.#pendingAnswers;
	}

	set pendingAnswers(value: number) {
		this.#pendingAnswers = value;
	}

	// What it is told

	/** Sends text to the client, if it is still there. Returns false when it was dropped. */
	send(text: string): boolean {
		if (this.#state === 'closed') return false;
		const isSent = this.ws.send(text) !== 0;
		if (!isSent) this.#hasDropped = true;
		return isSent;
	}

	/** Whether anything was dropped that it should have been told, so that an answer may be among it. */
	get hasDropped(): boolean {
		return this.#hasDropped;
	}

	/** What was sent could not be passed on at once. A client that does not read in time is too slow. */
	heldUp(): void {
		if (this.ws.getBufferedAmount() > this.#host.limits.queuedBytes) this.#host.slow(this);
	}

	/** Since when messages to it may have been dropped; only where that was chosen. */
	get droppingSince(): number | undefined {
		return this.#droppingSince;
	}

	set droppingSince(value: number | undefined) {
		this.#droppingSince = value;
	}

	/** A message counts as so many more. */
	charge(messages: number): void {
		this.#rate?.charge(messages);
	}

	/** A message that this side had asked for does not count as one. */
	excuse(): void {
		this.#rate?.giveBack(this.#host.limits);
	}
}

const NO_TOPICS: ReadonlySet<string> = new Set();
const CONNECTION_ENDED = new DOMException('The connection has ended', 'AbortError');
