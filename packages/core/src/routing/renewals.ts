import type { UnsubscribeOptions } from '@orijs/websocket';
import { BuiltIn, type ClientMessage, CloseCode, encodeAnswer, type ErrorCode } from '@orijs/websocket/protocol';
import { Opening } from '../session/openings.ts';
import type { Session } from '../session/session.ts';
import { Deadlines } from '../support/deadlines.ts';
import { Expiries } from '../support/expiries.ts';
import { FaultLog } from '../support/fault-log.ts';
import { authAnswer } from './auth-answer.ts';
import { GuardRun, type GuardServices, type GuardTopics, type UpgradeRequest } from './guard-run.ts';
import type { MessageEvents } from './message-events.ts';
import { applyChanges } from './apply-changes.ts';
import { packHeaders, unpackHeaders } from './packed-headers.ts';
import type { PresenceControl } from './presence-control.ts';
import { type GuardTable, isUnavailable, runGuards, TOKEN_EXPIRED } from './run-guards.ts';
import { sendRefusal } from './send-refusal.ts';

export interface RenewalsOptions extends GuardServices {
	readonly table: GuardTable;
	/** Undefined if there are no listeners. */
	readonly events: MessageEvents | undefined;
	/** Told of renewals, before the client is. */
	readonly presence: Pick<PresenceControl, 'renewed'>;
}

/** What is known of a client that speaks the protocol and has passed the guards. */
interface Admission {
	/** The headers of the upgrade request, as {@link packHeaders} returns them. */
	readonly headers: string;
	readonly remoteAddress: string;
	/** The topics that the guards have subscribed the client to. */
	topics: GuardTopics;
	/** When its credentials expire (monotonic clock, in milliseconds). */
	expiry: number;
	/** Whether its first `@auth` has arrived: each further one renews its credentials. */
	isAuthenticated: boolean;
	/** The renewal that the guards are deciding on. */
	renewal: Renewal | undefined;
}

/** One `@auth` of a live connection. */
interface Renewal {
	readonly session: Session;
	readonly run: GuardRun;
	readonly message: ClientMessage;
	/** The state before the guards. */
	readonly before: object;
}

const BY_SERVER: UnsubscribeOptions = { by: 'server' };

/**
 * The credentials of clients whose guards have passed. A client renews its own by another `@auth`, while its messages
 * go on; one that does not in time is closed.
 */
export class Renewals {
	readonly #options: RenewalsOptions;
	readonly #faults: FaultLog;
	/** Of clients that can renew their credentials. */
	readonly #admissions = new Map<Session, Admission>();
	readonly #deadlines: Deadlines<Renewal>;
	readonly #expiries = new Expiries<Session>((session) => this.#expired(session));

	constructor(options: RenewalsOptions) {
		this.#options = options;
		this.#faults = new FaultLog(options.logger);
		this.#deadlines = new Deadlines(options.limits.guardTimeoutMs, (renewal) => this.#timedOut(renewal));
	}

	/** Called when all guards of a connection have passed. @param hasAuth whether its `@auth` has been received */
	admitted(session: Session, run: GuardRun, hasAuth: boolean): void {
		const expiry = GuardRun.expiryOf(run);
		this.#setExpiry(session, expiry);
		// Plain clients can't renew anything.
		if (!session.isSpeaker) return;
		this.#admissions.set(session, {
			headers: packHeaders(run.headers),
			remoteAddress: run.remoteAddress,
			topics: GuardRun.topicsOf(run),
			expiry,
			// Without its first frame's credentials, `authenticate` has decided too; those that come later are new ones.
			isAuthenticated: hasAuth || this.#options.table.authenticate !== undefined,
			renewal: undefined,
		});
	}

	/** Removes a connection that has closed. */
	forget(session: Session): void {
		this.#expiries.delete(session);
		const admission = this.#admissions.get(session);
		if (admission === undefined) return;
		this.#admissions.delete(session);
		if (admission.renewal !== undefined) this.#end(admission, admission.renewal);
	}

	clear(): void {
		this.#expiries.clear();
		for (const session of this.#admissions.keys()) this.forget(session);
	}

	/**
	 * Starts a renewal when its `@auth` arrives, so that it need not wait for handlers. Returns false for the client's
	 * first `@auth`, which is answered in its turn, and while the connection opens.
	 */
	handleNow(session: Session, message: ClientMessage): boolean {
		const admission = this.#admissions.get(session);
		if (admission?.isAuthenticated !== true || session.state !== 'open') return false;
		if (session.inbound.running instanceof Opening) return false;
		this.#renew(session, admission, message);
		return true;
	}

	/** Handles an `@auth` whose turn has come. */
	handleInTurn(session: Session, message: ClientMessage): void {
		const admission = this.#admissions.get(session);
		if (admission?.isAuthenticated === true) return this.#renew(session, admission, message);
		if (admission !== undefined) admission.isAuthenticated = true;
		this.answer(session, message.correlationId);
	}

	/** Answers an `@auth` that has been accepted. */
	answer(session: Session, correlationId: string | undefined): void {
		if (correlationId === undefined) return;
		const expiry = this.#admissions.get(session)?.expiry ?? Infinity;
		const answer = authAnswer(session, this.#options, expiry - performance.now());
		session.send(encodeAnswer(BuiltIn.auth, correlationId, answer));
	}

	#renew(session: Session, admission: Admission, message: ClientMessage): void {
		if (admission.renewal !== undefined) {
			this.#options.refusals.add('requests', { socketId: session.socketId, type: BuiltIn.auth });
			return this.#refuseMessage(session, message, 'too_many_requests', 'The previous @auth is not answered yet');
		}
		const request: UpgradeRequest = {
			headers: unpackHeaders(admission.headers),
			remoteAddress: admission.remoteAddress,
		};
		const before = { ...session.values };
		const start = { auth: message.data, state: { ...before }, former: admission.topics };
		const run = new GuardRun(this.#options, session, request, start);
		const renewal: Renewal = { session, run, message, before };
		admission.renewal = renewal;
		this.#deadlines.add(renewal);
		void this.#decide(admission, renewal);
	}

	/** Runs the guards. Never rejects. */
	async #decide(admission: Admission, renewal: Renewal): Promise<void> {
		const { session, run } = renewal;
		const verdict = await runGuards(run, this.#options.table, this.#faults);
		if (verdict === undefined || admission.renewal !== renewal) return;
		// The connection is about to be closed anyway.
		if (session.state !== 'open') return this.#end(admission, renewal);
		if (verdict === 'passed' && run.userId === session.userId) return this.#passed(admission, renewal);
		this.#end(admission, renewal);
		if (verdict === 'failed' || isUnavailable(verdict)) return this.#postpone(renewal);
		this.#options.refusals.add('guard', { socketId: session.socketId, address: admission.remoteAddress });
		session.end(CloseCode.unauthorized, verdict === 'passed' ? 'another_user' : verdict.code);
	}

	/** Puts what the guards have decided into effect, in one step. */
	#passed(admission: Admission, renewal: Renewal): void {
		const { session, run, message, before } = renewal;
		const { provider, presence } = this.#options;
		admission.renewal = undefined;
		this.#deadlines.delete(renewal);
		GuardRun.pass(run);
		applyChanges(session.values, before, run.state);
		admission.expiry = GuardRun.expiryOf(run);
		this.#setExpiry(session, admission.expiry);
		const former = admission.topics;
		const topics = GuardRun.topicsOf(run);
		admission.topics = topics;
		for (const [topic, options] of topics) {
			// A client that was in it stays in it; only what has changed is asked for, and told.
			if (session.topics.has(topic) && former.has(topic) && former.get(topic)?.past === options?.past) continue;
			void provider.subscribe(session.socketId, topic, options);
		}
		GuardRun.release(run);
		for (const topic of former.keys()) {
			if (!topics.has(topic) && session.topics.has(topic))
				void provider.unsubscribe(session.socketId, topic, BY_SERVER);
		}
		presence.renewed(session);
		this.answer(session, message.correlationId);
	}

	/** Nothing has been decided, so the client keeps what it has until that expires, and tries again. */
	#postpone({ session, message }: Renewal): void {
		const text = 'The credentials could not be checked; try again';
		this.#refuseMessage(session, message, 'unavailable', text);
	}

	#refuseMessage(session: Session, message: ClientMessage, code: ErrorCode, text: string): void {
		sendRefusal(session, message, code, text);
		this.#options.events?.refused(session, message, code);
	}

	#timedOut(renewal: Renewal): void {
		const { session } = renewal;
		const admission = this.#admissions.get(session);
		if (admission?.renewal !== renewal) return;
		this.#end(admission, renewal);
		this.#faults.wrong(
			`The guards of a renewal took longer than ${this.#options.limits.guardTimeoutMs} ms; the client may try again`,
			'The guards of renewals took too long',
			{ socketId: session.socketId },
		);
		this.#postpone(renewal);
	}

	#end(admission: Admission, renewal: Renewal): void {
		admission.renewal = undefined;
		this.#deadlines.delete(renewal);
		GuardRun.end(renewal.run);
	}

	/** @param expiry on the monotonic clock, in milliseconds */
	#setExpiry(session: Session, expiry: number): void {
		if (expiry === Infinity) this.#expiries.delete(session);
		else this.#expiries.set(session, expiry - performance.now());
	}

	#expired(session: Session): void {
		this.#options.refusals.add('expired', { socketId: session.socketId });
		session.end(CloseCode.unauthorized, TOKEN_EXPIRED);
	}
}
