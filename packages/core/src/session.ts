import type { SocketData } from '@orijs/websocket';
import type { AppSocket } from './app-socket.ts';
import type { Slot } from './admission/connection-slots.ts';
import type { AllLimits } from './limits.ts';
import type { Overdue } from './overdue.ts';
import { Rate } from './rate.ts';

/** A message as it came, or as it was read. */
export type Work = object | string;

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
	readonly overdue: Overdue;
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
 */
export class Session implements SocketData<object> {
	readonly socketId: string = crypto.randomUUID();
	data: object;
	// The registry gives it a set of its own when the socket is added.
	readonly topics: ReadonlySet<string> = NO_TOPICS;

	readonly #host: SessionHost;
	readonly #slot: Slot;
	readonly #rate: Rate;
	#state: SessionState = 'guarding';
	#wasOpened = false;
	#ws: AppSocket | undefined;
	/** What the guards have set. */
	#values: object = NO_VALUES;
	/** Aborted when the connection has ended; made when somebody asks. */
	#ended: AbortController | undefined;
	#queue: Work[] | undefined;
	/** Frames that came before the guards had passed. */
	#early: Frame[] | undefined;
	#onBegun: (() => void) | undefined;
	#begunAt = 0;
	#droppingSince: number | undefined;
	#pendingRequests = 0;
	#expectedReplies = 0;
	#pendingAnswers = 0;
	#running: object | undefined;

	constructor(host: SessionHost, data: object, slot: Slot) {
		this.#host = host;
		this.data = data;
		this.#slot = slot;
		this.#rate = new Rate(host.limits);
	}

	get state(): SessionState {
		return this.#state;
	}

	get isOpen(): boolean {
		return this.#state === 'open';
	}

	/** The socket; there is one from `attach` on. */
	get ws(): AppSocket {
		return this.#ws as AppSocket;
	}

	get values(): object {
		return this.#values;
	}

	/** Aborted when the connection has ended. */
	get signal(): AbortSignal {
		this.#ended ??= new AbortController();
		if (this.#state === 'closed') this.#ended.abort(CONNECTION_ENDED);
		return this.#ended.signal;
	}

	/** What is waited for, for `Inbound.giveUp`. */
	get running(): object | undefined {
		return this.#running;
	}

	/** How many requests and subscriptions of this client wait for their answers. */
	get pendingAnswers(): number {
		return this.#pendingAnswers;
	}

	set pendingAnswers(value: number) {
		this.#pendingAnswers = value;
	}

	/** How many of this server's requests its client has not answered yet. */
	get pendingRequests(): number {
		return this.#pendingRequests;
	}

	set pendingRequests(value: number) {
		this.#pendingRequests = value;
	}

	/** A handler asks this very client: the answer may come after what can't be handled before that handler is through. */
	expectReply(): void {
		this.#expectedReplies++;
		this.#resumeIfShort();
	}

	/** It has its answer, or has given up. */
	expectReplyNoMore(): void {
		this.#expectedReplies--;
	}

	/** Since when messages to it may have been dropped; only where that was chosen. */
	get droppingSince(): number | undefined {
		return this.#droppingSince;
	}

	set droppingSince(value: number | undefined) {
		this.#droppingSince = value;
	}

	/** The upgrade is through. */
	attach(ws: AppSocket): void {
		this.#ws = ws;
	}

	/** The guards have passed, with what they have set: from now on messages are handled, those first that came too early. */
	open(values: object): void {
		this.#values = values;
		this.#state = 'open';
		this.#wasOpened = true;
	}

	/** Whether it ever was open: its guards have passed. */
	get wasOpened(): boolean {
		return this.#wasOpened;
	}

	/** Handles what came before the session was open. */
	catchUp(): void {
		const early = this.#early;
		this.#early = undefined;
		for (const frame of early ?? []) this.#read(frame);
		this.#resumeIfShort();
	}

	/** A message has arrived. */
	receive(frame: Frame): void {
		if (this.#state === 'closed') return;
		const { limits, inbound } = this.#host;
		const verdict = this.#rate.take(frame, limits);
		if (verdict === 'flood') return this.#host.flooded(this);
		if (this.#state === 'guarding') return this.#receiveEarly(frame);
		if (this.#state === 'closing') return inbound.tooLate(this, frame);
		if (verdict === 'over' && !inbound.tooFast(this, frame)) return;
		this.#read(frame);
	}

	#receiveEarly(frame: Frame): void {
		const isFirst = this.#early === undefined;
		this.#early ??= [];
		if (isFirst) return this.#host.begin(this, frame);
		this.wait(frame);
	}

	/** Keeps a frame until the guards have passed. */
	wait(frame: Frame): void {
		this.#early?.push(frame);
		if ((this.#early?.length ?? 0) >= this.#host.limits.queuedMessages) this.ws.pause();
	}

	#read(frame: Frame): void {
		const work = this.#host.inbound.read(this, frame);
		if (work === undefined) return;
		if (!this.isBusy) return this.#run(work);
		this.#queue ??= [];
		const isFull = this.#queue.length >= this.#host.limits.queuedMessages;
		if (isFull && this.#expectedReplies > 0) return this.#host.inbound.tooMany(this, work);
		this.#queue.push(work);
		// What was read from the socket already still comes: no more than one read, 64 KiB.
		if (this.#queue.length >= this.#host.limits.queuedMessages && this.#expectedReplies === 0) this.ws.pause();
	}

	#run(work: Work): void {
		this.#host.inbound.run(this, work);
	}

	/** What is run now is to be waited for. */
	begin(running: object): void {
		this.#running = running;
		this.#begunAt = this.#host.overdue.tick;
	}

	/** What was begun is over. Nothing happens if it was not begun, or given up. */
	finished(running: object): void {
		if (this.#running === running) this.#next();
	}

	/** What is running has taken too long. */
	overdue(): void {
		this.#host.inbound.giveUp(this);
		this.#next();
	}

	#next(): void {
		this.#running = undefined;
		while (!this.isBusy && this.#isWaiting) this.#run(this.#queue?.shift() as Work);
		if (!this.#isWaiting) {
			this.#onBegun?.();
			this.#onBegun = undefined;
		}
		this.#resumeIfShort();
	}

	/** Whether something is waited for. */
	get isBusy(): boolean {
		return this.#running !== undefined;
	}

	/** By which tick of the host that was begun. */
	get begunAt(): number {
		return this.#begunAt;
	}

	/** Whether messages wait for their turn. */
	get #isWaiting(): boolean {
		return this.#queue !== undefined && this.#queue.length > 0;
	}

	#resumeIfShort(): void {
		const ws = this.#ws;
		if (ws?.isPaused !== true) return;
		const waiting = this.#queue?.length ?? 0;
		if (this.#expectedReplies > 0 || waiting <= this.#host.limits.queuedMessages / 2) ws.resume();
	}

	/** Whether all is handled and answered that has arrived, and on its way what was sent. */
	get isDone(): boolean {
		// Nothing waits without something to wait for.
		if (this.isBusy) return false;
		return this.#state === 'closed' || (this.#pendingAnswers === 0 && this.ws.getBufferedAmount() === 0);
	}

	/** Calls `then` once the last message that has arrived was begun: at once if none waits. */
	whenBegun(then: () => void): void {
		if (this.#isWaiting) this.#onBegun = then;
		else then();
	}

	/** Takes no more messages; those that have arrived are still handled. */
	finish(): void {
		if (this.#state !== 'closed') this.#state = 'closing';
	}

	/** Sends text to the client, if it is still there. */
	send(text: string): void {
		if (this.#state !== 'closed') this.ws.send(text);
	}

	/** What was sent could not be passed on at once. A client that does not read in time is too slow. */
	heldUp(): void {
		if (this.ws.getBufferedAmount() > this.#host.limits.queuedBytes) this.#host.slow(this);
	}

	/** Ends the connection. */
	end(code: number, reason: string): void {
		this.ws.close(code, reason);
	}

	/** This side ends the connection: what has arrived and was not begun is not handled any more. */
	ending(): void {
		this.#queue = undefined;
		this.#early = undefined;
		this.finish();
	}

	/** The connection is gone. */
	closed(): void {
		this.#state = 'closed';
		this.#early = undefined;
		this.#slot.release();
		this.#ended?.abort(CONNECTION_ENDED);
	}
}

const NO_TOPICS: ReadonlySet<string> = new Set();
const CONNECTION_ENDED = new DOMException('The connection has ended', 'AbortError');
const NO_VALUES: object = Object.freeze({});
