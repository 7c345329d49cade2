import { BuiltIn, CloseCode } from '@orijs/websocket/protocol';
import type { Frame, Session } from '../session/session.ts';
import { Deadlines } from '../support/deadlines.ts';
import { FaultLog } from '../support/fault-log.ts';
import { GuardRun, type GuardServices, type UpgradeRequest } from './guard-run.ts';
import { MessageFault, readMessage } from './read-message.ts';
import { type GuardTable, isUnavailable, runGuards } from './run-guards.ts';

/** An `@auth` that has been received and is to be answered. */
export interface AuthRequest {
	readonly correlationId: string | undefined;
}

export interface ConnectionGuardsOptions extends GuardServices {
	readonly table: GuardTable;
	/**
	 * Called when all guards have passed.
	 *
	 * @param auth the client's first message, if it was `@auth` and `authenticate` has seen it
	 */
	readonly onPassed: (session: Session, run: GuardRun, auth: AuthRequest | undefined) => void;
}

/** A connection whose guards have not passed, and their run once it has begun. */
interface PendingConnection {
	readonly request: UpgradeRequest;
	run: GuardRun | undefined;
}

/** Runs the guards of new connections. A connection waits until all its guards have passed. */
export class ConnectionGuards {
	readonly #options: ConnectionGuardsOptions;
	readonly #faults: FaultLog;
	readonly #pending = new Map<Session, PendingConnection>();
	readonly #deadlines: Deadlines<Session>;
	/** Whether guards need the client's first message. */
	readonly #needsAuth: boolean;

	constructor(options: ConnectionGuardsOptions) {
		this.#options = options;
		this.#faults = new FaultLog(options.logger);
		this.#deadlines = new Deadlines(options.limits.guardTimeoutMs, (session) => this.#timedOut(session));
		this.#needsAuth = options.table.authenticate !== undefined;
	}

	/** Connections whose guards have not passed yet. */
	get pending(): Iterable<Session> {
		return this.#pending.keys();
	}

	/**
	 * Adds a connection that has opened. Its guards must pass within `limits.guardTimeoutMs`. They run at once, unless
	 * one of them needs the client's first message, which must arrive within the same time.
	 */
	add(session: Session, request: UpgradeRequest): void {
		const pending: PendingConnection = { request, run: undefined };
		this.#pending.set(session, pending);
		this.#deadlines.add(session);
		if (!this.#needsAuth) void this.#run(session, pending, undefined, undefined);
	}

	/** Removes a connection that has closed. */
	forget(session: Session): void {
		const pending = this.#take(session);
		if (pending?.run !== undefined) GuardRun.end(pending.run);
	}

	#take(session: Session): PendingConnection | undefined {
		const pending = this.#pending.get(session);
		if (pending === undefined) return undefined;
		this.#pending.delete(session);
		this.#deadlines.delete(session);
		return pending;
	}

	/** Removes all connections. */
	clear(): void {
		for (const { run } of this.#pending.values()) if (run !== undefined) GuardRun.end(run);
		this.#pending.clear();
		this.#deadlines.clear();
	}

	/**
	 * Called with the first frame of a connection. If it is `@auth`, of a client that speaks the protocol,
	 * `authenticate` gets its data. Any other frame is held until the guards have passed.
	 */
	onFirstFrame(session: Session, frame: Frame): void {
		const pending = this.#pending.get(session);
		if (!this.#needsAuth || pending === undefined) return session.inbound.hold(frame);
		const mayBeAuth = typeof frame === 'string' && session.isSpeaker;
		const first = mayBeAuth ? readMessage(frame, this.#options.limits.messageDepth) : undefined;
		const isAuth = first !== undefined && !(first instanceof MessageFault) && first.type === BuiltIn.auth;
		if (!isAuth) session.inbound.hold(frame);
		const request = isAuth ? { correlationId: first.correlationId } : undefined;
		void this.#run(session, pending, isAuth ? first.data : undefined, request);
	}

	/** Runs the guards of one connection. Never rejects. */
	async #run(
		session: Session,
		pending: PendingConnection,
		auth: unknown,
		request: AuthRequest | undefined,
	): Promise<void> {
		const run = new GuardRun(this.#options, session, pending.request, { auth });
		pending.run = run;
		const verdict = await runGuards(run, this.#options.table, this.#faults);
		if (verdict === undefined || this.#pending.get(session) !== pending) return;
		// An endpoint that stops may be about to close the connection.
		if (verdict === 'passed' && session.state === 'guarding') {
			this.#take(session);
			GuardRun.pass(run);
			return this.#options.onPassed(session, run, request);
		}
		GuardRun.end(run);
		if (verdict === 'failed') session.end(CloseCode.internalError, 'guard failed');
		else if (isUnavailable(verdict)) this.#postpone(session);
		else if (verdict !== 'passed') this.#refuse(session, pending.request, verdict.code);
	}

	/** Nothing has been decided, so the client is to try again. */
	#postpone(session: Session): void {
		this.#faults.wrong(
			'Connection closed (1013): a guard could not decide (unavailable); the client may try again',
			'Connections closed (1013): guards could not decide (unavailable); the clients may try again',
			{ socketId: session.socketId },
		);
		session.end(CloseCode.tryAgainLater, 'unavailable');
	}

	/** @param reason the reason in the close frame: `unauthorized`, or the code of a guard's `SocketError` */
	#refuse(session: Session, { remoteAddress }: UpgradeRequest, reason: string): void {
		this.#options.refusals.add('guard', { socketId: session.socketId, address: remoteAddress });
		session.end(CloseCode.unauthorized, reason);
	}

	#timedOut(session: Session): void {
		const pending = this.#take(session);
		if (pending?.run !== undefined) GuardRun.end(pending.run);
		const address = pending?.request.remoteAddress;
		this.#options.refusals.add('guardTimeout', { socketId: session.socketId, address });
		session.end(CloseCode.guardTimeout, 'guards took too long');
	}
}
