import type { WebSocketProvider } from '@orijs/websocket';
import { Deadlines } from '../support/deadlines.ts';
import type { FaultLog } from '../support/fault-log.ts';
import type { GapForwarding } from './gap-forwarding.ts';
import type { Session } from './session.ts';

/** How long a client waits for the backend to confirm its subscriptions, in milliseconds. */
const CONFIRMED_WITHIN_MS = 1_000;

/**
 * Subscriptions that are confirmed later than 250 ms after their call are told as such by the provider. Those confirmed
 * earlier are reported here, with some overlap, if their client did not wait for them.
 */
const TOLD_BY_PROVIDER_AFTER_MS = 300;

export interface OpeningsOptions {
	readonly provider: Pick<WebSocketProvider, 'status'>;
	readonly gapNotices: Pick<GapForwarding, 'earliestArriving' | 'notifyOf'>;
	readonly faults: FaultLog;
	/** How long a client waits for what runs when its connection opens, in milliseconds. */
	readonly timeoutMs: number;
	/** Called when a client need not wait any longer, before its messages are handled. */
	readonly onReady: (session: Session, authId: string | undefined) => void;
}

/**
 * A connection that is opening: its client waits for the `open` handler and for its subscriptions. To the messages of
 * the client, this is a message being handled: all others wait, apart from replies and heartbeats.
 */
export class Opening {
	readonly session: Session;
	/** The correlation id of the client's `@auth`, if that is to be answered. */
	readonly authId: string | undefined;
	/** The number of subscriptions that the backend has not confirmed. */
	pending = 0;
	/** Whether everything that runs when a connection opens has finished. */
	hasRun = false;
	/** Whether the client's messages wait. */
	isWaitedFor = false;
	/** Whether unconfirmed subscriptions are waited for. */
	isTimed = false;
	/** When the client was let through (monotonic clock, in milliseconds). */
	readyAt: number | undefined = undefined;
	/** The earliest publication time that a message arriving at that time could have (ms since the epoch). */
	readySince = 0;

	constructor(session: Session, authId: string | undefined) {
		this.session = session;
		this.authId = authId;
	}
}

/** Lets clients through once their connections have opened. */
export class Openings {
	readonly #options: OpeningsOptions;
	/** Those that are waited for, and those whose `open` handlers still run. */
	readonly #current = new Map<Session, Opening>();
	readonly #unconfirmed = new Deadlines<Opening>(CONFIRMED_WITHIN_MS, (opening) => this.#letThrough(opening));
	readonly #running: Deadlines<Opening>;

	constructor(options: OpeningsOptions) {
		this.#options = options;
		this.#running = new Deadlines(options.timeoutMs, (opening) => {
			this.#tooLong(opening);
			this.#letThrough(opening);
		});
	}

	/** Begins: from now on, subscriptions of the client are waited for. */
	begin(session: Session, authId: string | undefined): Opening {
		const opening = new Opening(session, authId);
		this.#current.set(session, opening);
		return opening;
	}

	/** Whether a client still waits for its connection to open. */
	isWaiting(session: Session): boolean {
		const opening = this.#current.get(session);
		return opening !== undefined && opening.readyAt === undefined;
	}

	/** Called when the server subscribes a client to a topic. @param done resolves when it is confirmed */
	subscribing(session: Session, topic: string, done: Promise<unknown>): void {
		const opening = this.#current.get(session);
		if (opening === undefined) return;
		const status = Bun.peek.status(done);
		if (status === 'rejected' || (status === 'fulfilled' && opening.readyAt === undefined)) return;
		const calledAt = performance.now();
		opening.pending++;
		// Not by its own `then`: the call's failure is to be logged if the application does not await it.
		void plainThen.call(
			done,
			() => this.#confirmed(opening, topic, calledAt),
			() => this.#settled(opening),
		);
		if (opening.isWaitedFor) queueMicrotask(() => this.#check(opening));
	}

	/** Called when everything that runs when a connection opens has been called. @param running what has not finished */
	opened(opening: Opening, running: Promise<unknown> | undefined): void {
		opening.hasRun = running === undefined;
		this.#check(opening);
		if (running !== undefined) void running.then(() => this.#hasRun(opening));
		if (opening.readyAt !== undefined) return;
		opening.isWaitedFor = true;
		opening.session.waitFor(opening);
		if (!opening.hasRun) this.#running.add(opening);
	}

	#hasRun(opening: Opening): void {
		opening.hasRun = true;
		this.#running.delete(opening);
		if (opening.readyAt === undefined) this.#check(opening);
		else this.#forgetIfDone(opening);
	}

	#confirmed(opening: Opening, topic: string, calledAt: number): void {
		const { session, readyAt, readySince } = opening;
		const isTold =
			readyAt === undefined || (calledAt < readyAt && performance.now() - calledAt > TOLD_BY_PROVIDER_AFTER_MS);
		if (!isTold) this.#options.gapNotices.notifyOf(session, topic, readySince);
		this.#settled(opening);
	}

	#settled(opening: Opening): void {
		opening.pending--;
		if (opening.readyAt === undefined) {
			if (opening.pending === 0) this.#stopTiming(opening);
			this.#check(opening);
		} else this.#forgetIfDone(opening);
	}

	/** Lets the client through if nothing that it should wait for is left. */
	#check(opening: Opening): void {
		if (opening.readyAt !== undefined) return;
		if (opening.pending === 0) {
			if (opening.hasRun) this.#letThrough(opening);
			return;
		}
		// While the backend is away, clients become ready all the same.
		if (this.#options.provider.status !== 'ready') return this.#letThrough(opening);
		if (opening.isTimed) return;
		opening.isTimed = true;
		this.#unconfirmed.add(opening);
	}

	#stopTiming(opening: Opening): void {
		if (!opening.isTimed) return;
		opening.isTimed = false;
		this.#unconfirmed.delete(opening);
	}

	#letThrough(opening: Opening): void {
		const { gapNotices, onReady } = this.#options;
		const { session } = opening;
		this.#stopTiming(opening);
		this.#running.delete(opening);
		opening.readyAt = performance.now();
		if (opening.hasRun && opening.pending === 0) this.#current.delete(session);
		else opening.readySince = gapNotices.earliestArriving();
		if (session.state === 'open') onReady(session, opening.authId);
		if (opening.isWaitedFor) session.waitedFor(opening);
		else session.releaseHeld();
	}

	#forgetIfDone(opening: Opening): void {
		if (opening.hasRun && opening.pending === 0) this.#current.delete(opening.session);
	}

	#tooLong({ session: { socketId } }: Opening): void {
		this.#options.faults.wrong(
			'The open handler, or onOpen, has not finished in time; its client is no longer held up',
			'open handlers, or onOpen, have not finished in time; their clients are no longer held up',
			{ socketId, limitMs: this.#options.timeoutMs },
		);
	}

	/** Removes a connection that has closed. What its client has sent is still handled, once `open` has finished. */
	forget(session: Session): void {
		this.#current.delete(session);
	}

	clear(): void {
		this.#current.clear();
		this.#unconfirmed.clear();
		this.#running.clear();
	}
}

const plainThen = Promise.prototype.then;
