import { promiseOf, show } from '@orijs/websocket/internal';
import { type RequestFault, SocketError } from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import type { Session } from '../session/session.ts';
import { expiryOf } from '../support/expiry.ts';
import type { FaultLog } from '../support/fault-log.ts';
import type { Authorize, TopicAuthorization } from '../websocket-options.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { topicFault } from './topic-fault.ts';

/** The application's decision that a client may be in a topic. */
export interface Allowed {
	/** When to ask again (monotonic clock, in milliseconds); `Infinity` if never. */
	readonly until: number;
}

/** The application's decision that a client may not. */
export class NotAuthorized implements RequestFault {
	readonly code: string;
	readonly message: string;

	constructor(code: string, message: string) {
		this.code = code;
		this.message = message;
	}
}

/** What the application has decided about a client and a topic; or a fault, if it could not decide. */
export type Decision = Allowed | NotAuthorized | RequestFault;

export function isAllowed(decision: Decision): decision is Allowed {
	return 'until' in decision;
}

/** The decision that a client may be in a topic because it is: the application was not asked. */
export const MEMBER: Allowed = { until: Infinity };

/** What a client wants to do with a topic. */
export type TopicAction = 'subscribe to' | 'read';

/** Asks the application whether clients may subscribe to topics. */
export class TopicAuthorizer {
	readonly #authorize: Authorize;
	readonly #faults: FaultLog;

	constructor(authorize: Authorize, faults: FaultLog) {
		this.#authorize = authorize;
		this.#faults = faults;
	}

	/** Returns the application's decision. Never throws or rejects. */
	decide(session: Session, topic: string, action: TopicAction): MaybePromise<Decision> {
		try {
			const answer: unknown = this.#authorize.subscribe?.(session.ws, topic, session.values);
			const later = promiseOf(answer);
			if (later === undefined) return this.#read(answer, session, topic, action);
			return later.then(
				(value) => this.#read(value, session, topic, action),
				(err: unknown) => this.#failed(err, session, topic),
			);
		} catch (err) {
			return this.#failed(err, session, topic);
		}
	}

	#read(answer: unknown, session: Session, topic: string, action: TopicAction): Decision {
		if (answer === true) return ALWAYS;
		if (typeof answer !== 'object' || answer === null) return forbidden(topic, action);
		try {
			return this.#readObject(answer, session, topic, action);
		} catch (err) {
			return this.#failed(err, session, topic);
		}
	}

	/** @throws {ApplicationError} {TypeError} a member is invalid */
	#readObject(answer: Partial<TopicAuthorization>, session: Session, topic: string, action: TopicAction): Decision {
		const { allowed, expiresAt, code, message } = answer;
		if (message !== undefined && typeof message !== 'string')
			throw new ApplicationError(`message of authorize.subscribe must be a string, not ${show(message)}`);
		if (typeof allowed !== 'boolean') {
			this.#faults.wrong(
				`authorize.subscribe has answered ${show(answer)} for ${topic}, which allows nothing: it must be true, false ` +
					'or { allowed: true or false, expiresAt, code, message }',
				'authorize.subscribe has answered something other than true, false or { allowed }',
				{ socketId: session.socketId, topic },
			);
		} else if (allowed) {
			const until = expiryOf('expiresAt of authorize.subscribe', expiresAt);
			if (until > performance.now()) return until === Infinity ? ALWAYS : { until };
		} else if (code !== undefined || message !== undefined) {
			// Checks the code.
			const refusal = new SocketError(code ?? 'forbidden', message ?? forbidden(topic, action).message);
			return new NotAuthorized(refusal.code, refusal.message);
		}
		return forbidden(topic, action);
	}

	#failed(err: unknown, session: Session, topic: string): RequestFault {
		return topicFault(this.#faults, { operation: 'subscribe', session, topic, err });
	}
}

const ALWAYS: Allowed = { until: Infinity };

function forbidden(topic: string, action: TopicAction): NotAuthorized {
	return new NotAuthorized('forbidden', `Not authorized to ${action} ${topic}`);
}
