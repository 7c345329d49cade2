import type { Logger } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import { BuiltIn, CloseCode, encodeAnswer, SocketError } from '@orijs/websocket/protocol';
import type { WebSocketProvider } from '@orijs/websocket';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Frame, Session } from '../session/session.ts';
import { BoundLogger } from '../support/bound-logger.ts';
import { Deadlines } from '../support/deadlines.ts';
import { FaultLog } from '../support/fault-log.ts';
import { authAnswer } from './auth-answer.ts';
import type { GuardContext } from './guard-context.ts';
import { MessageFault, readMessage } from './read-message.ts';
import type { ConnectionGuard } from './socket-router.ts';

/** The parts of an upgrade request that guards can read; the request itself no longer exists when they run. */
export interface UpgradeRequest {
	readonly headers: Headers;
	readonly remoteAddress: string;
}

export interface ConnectionGuardsOptions {
	readonly guards: readonly ConnectionGuard<object>[];
	readonly limits: AllLimits;
	readonly provider: WebSocketProvider;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** Called when all guards have passed; `values` is the state they have set. */
	readonly onPassed: (session: Session, values: object) => void;
}

/** Runs the guards of new connections. A connection waits until all its guards have passed. */
export class ConnectionGuards {
	readonly #options: ConnectionGuardsOptions;
	readonly #faults: FaultLog;
	readonly #pending = new Map<Session, UpgradeRequest>();
	readonly #deadlines: Deadlines<Session>;

	constructor(options: ConnectionGuardsOptions) {
		this.#options = options;
		this.#faults = new FaultLog(options.logger);
		this.#deadlines = new Deadlines(options.limits.guardTimeoutMs, (session) => this.#timedOut(session));
	}

	get hasGuards(): boolean {
		return this.#options.guards.length > 0;
	}

	/** Connections whose guards have not passed yet. */
	get pending(): Iterable<Session> {
		return this.#pending.keys();
	}

	/**
	 * Adds a connection that has opened. Its first message must arrive and its guards must pass within
	 * `limits.guardTimeoutMs`.
	 */
	add(session: Session, request: UpgradeRequest): void {
		this.#pending.set(session, request);
		this.#deadlines.add(session);
	}

	/** Removes a connection that has closed or whose guards have passed. */
	forget(session: Session): void {
		this.#pending.delete(session);
		this.#deadlines.delete(session);
	}

	/** Removes all connections. */
	clear(): void {
		this.#pending.clear();
		this.#deadlines.clear();
	}

	/**
	 * Starts the guards when the first frame arrives. If the frame is `@auth`, of a client that speaks the protocol, the
	 * guards get its data. Any other frame is held until the guards have passed.
	 */
	start(session: Session, frame: Frame): void {
		const mayBeAuth = typeof frame === 'string' && session.isSpeaker;
		const first = mayBeAuth ? readMessage(frame, this.#options.limits.messageDepth) : undefined;
		const isAuth = first !== undefined && !(first instanceof MessageFault) && first.type === BuiltIn.auth;
		if (!isAuth) session.inbound.hold(frame);
		void this.#run(session, isAuth ? first.data : undefined, isAuth ? first.correlationId : undefined);
	}

	/** Runs the guards of one connection. Never rejects. */
	async #run(session: Session, auth: unknown, correlationId: string | undefined): Promise<void> {
		const request = this.#pending.get(session);
		if (request === undefined) return;
		const { guards, logger, onPassed } = this.#options;
		const { socketId } = session;
		const ctx = new GuardCall(session, auth, request, logger);
		for (const guard of guards) {
			let result: unknown;
			try {
				result = await guard(ctx);
			} catch (err) {
				if (!this.#pending.has(session)) return;
				if (err instanceof SocketError) return this.#refuse(session, request, err.code);
				this.#faults.failed({ what: 'A connection guard failed', err }, { socketId });
				return session.end(CloseCode.internalError, 'guard failed');
			}
			if (!this.#pending.has(session)) return;
			if (result === true) continue;
			if (result !== false) {
				this.#faults.wrong(
					`Connection refused: a guard returned ${show(result)}; it must return true or false`,
					'Connections refused: a guard returned something other than true or false',
					{ socketId },
				);
			}
			return this.#refuse(session, request, 'unauthorized');
		}
		this.forget(session);
		session.open(ctx.state);
		if (correlationId !== undefined)
			session.send(encodeAnswer(BuiltIn.auth, correlationId, authAnswer(session, this.#options)));
		onPassed(session, ctx.state);
	}

	/** @param reason the reason in the close frame: `unauthorized`, or the code of a guard's `SocketError` */
	#refuse(session: Session, { remoteAddress }: UpgradeRequest, reason: string): void {
		this.#options.refusals.add('guard', { socketId: session.socketId, address: remoteAddress });
		session.end(CloseCode.unauthorized, reason);
	}

	#timedOut(session: Session): void {
		const request = this.#pending.get(session);
		this.#pending.delete(session);
		this.#options.refusals.add('guardTimeout', { socketId: session.socketId, address: request?.remoteAddress });
		session.end(CloseCode.guardTimeout, 'guards took too long');
	}
}

class GuardCall implements GuardContext {
	readonly auth: unknown;
	readonly state: object = {};
	readonly headers: Headers;
	readonly remoteAddress: string;
	readonly log: Logger;
	readonly #session: Session;

	constructor(session: Session, auth: unknown, { headers, remoteAddress }: UpgradeRequest, logger: Logger) {
		this.auth = auth;
		this.headers = headers;
		this.remoteAddress = remoteAddress;
		this.log = new BoundLogger(logger, { socketId: session.socketId });
		this.#session = session;
	}

	get data(): object {
		return this.#session.data;
	}

	get cookies(): Bun.CookieMap {
		return new Bun.CookieMap(this.headers.get('cookie') ?? '');
	}

	get socketId(): string {
		return this.#session.socketId;
	}

	get signal(): AbortSignal {
		return this.#session.signal;
	}
}
