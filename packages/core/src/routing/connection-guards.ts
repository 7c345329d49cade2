import type { Logger } from '@orijs/websocket';
import { BuiltIn, CloseCode, encodeAnswer, SocketError } from '@orijs/websocket/protocol';
import { BoundLogger } from '../support/bound-logger.ts';
import { Deadlines } from '../support/deadlines.ts';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Frame, Session } from '../session/session.ts';
import { show } from '../support/show.ts';
import { authAnswer } from './auth-answer.ts';
import type { GuardContext } from './guard-context.ts';
import { MessageFault, readMessage } from './read-message.ts';
import type { ConnectionGuard } from './socket-router.ts';

/** What guards may want to see of the upgrade request, which is over by then. */
export interface UpgradeRequest {
	readonly headers: Headers;
	readonly remoteAddress: string;
}

export interface ConnectionGuardsOptions {
	readonly guards: readonly ConnectionGuard<object>[];
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** All have passed, and have set these values. */
	readonly onPassed: (session: Session, values: object) => void;
}

/** Lets connections wait until the guards have said yes. */
export class ConnectionGuards {
	readonly #options: ConnectionGuardsOptions;
	readonly #waiting = new Map<Session, UpgradeRequest>();
	readonly #deadlines: Deadlines<Session>;

	constructor(options: ConnectionGuardsOptions) {
		this.#options = options;
		this.#deadlines = new Deadlines(options.limits.guardTimeoutMs, (session) => this.#tooLate(session));
	}

	/** Whether there is anything to pass. */
	get areAny(): boolean {
		return this.#options.guards.length > 0;
	}

	/** Those that have not passed yet. */
	get waiting(): Iterable<Session> {
		return this.#waiting.keys();
	}

	/** A connection has opened; its client has to say something now. */
	await(session: Session, request: UpgradeRequest): void {
		this.#waiting.set(session, request);
		this.#deadlines.add(session);
	}

	/** A connection is gone. */
	forget(session: Session): void {
		this.#waiting.delete(session);
		this.#deadlines.delete(session);
	}

	/** Forgets them all. */
	clear(): void {
		this.#waiting.clear();
		this.#deadlines.clear();
	}

	/** The first frame of a connection: what it shows to the guards, or, if it shows nothing, a message that waits for them. */
	begin(session: Session, frame: Frame): void {
		const first = typeof frame === 'string' ? readMessage(frame, this.#options.limits.messageDepth) : undefined;
		const isAuth = first !== undefined && !(first instanceof MessageFault) && first.type === BuiltIn.auth;
		if (!isAuth) session.inbound.hold(frame);
		void this.#ask(session, isAuth ? first.data : undefined, isAuth ? first.correlationId : undefined);
	}

	/** Never rejects. */
	async #ask(session: Session, auth: unknown, correlationId: string | undefined): Promise<void> {
		const request = this.#waiting.get(session);
		if (request === undefined) return;
		const { guards, limits, logger, onPassed } = this.#options;
		const { socketId } = session;
		const ctx = new GuardCall(session, auth, request, logger);
		for (const guard of guards) {
			let verdict: unknown;
			try {
				verdict = await guard(ctx);
			} catch (err) {
				if (!this.#waiting.has(session)) return;
				if (err instanceof SocketError) return this.#refuse(session, request, err.code);
				logger.error('A connection guard failed', { socketId, err });
				return session.end(CloseCode.internalError, 'guard failed');
			}
			if (!this.#waiting.has(session)) return;
			if (verdict === true) continue;
			if (verdict !== false) {
				logger.error(`A connection guard returned ${show(verdict)}, which refuses; return true or false`, { socketId });
			}
			return this.#refuse(session, request, 'unauthorized');
		}
		this.forget(session);
		session.open(ctx.state);
		if (correlationId !== undefined)
			session.send(encodeAnswer(BuiltIn.auth, correlationId, authAnswer(session, limits)));
		onPassed(session, ctx.state);
	}

	/** @param why the close frame's reason: `unauthorized`, or what the guard says itself */
	#refuse(session: Session, { remoteAddress }: UpgradeRequest, why: string): void {
		this.#options.refusals.add('guard', { socketId: session.socketId, address: remoteAddress });
		session.end(CloseCode.unauthorized, why);
	}

	#tooLate(session: Session): void {
		const request = this.#waiting.get(session);
		this.#waiting.delete(session);
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
