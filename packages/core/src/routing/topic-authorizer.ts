import { promiseOf } from '@orijs/websocket/internal';
import type { RequestFault } from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import type { FaultLog } from '../support/fault-log.ts';
import type { Authorize } from '../websocket-options.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { topicFault } from './topic-fault.ts';

/** Whether a client may subscribe to a topic, or the fault if the decision failed. */
export type Decision = 'allowed' | 'forbidden' | RequestFault;

/** Asks the application whether clients may subscribe to topics. */
export class TopicAuthorizer {
	readonly #authorize: Authorize;
	readonly #faults: FaultLog;

	constructor(authorize: Authorize, faults: FaultLog) {
		this.#authorize = authorize;
		this.#faults = faults;
	}

	/** Returns the application's decision. Never throws or rejects. */
	decide(session: Session, topic: string): MaybePromise<Decision> {
		try {
			const allowed: unknown = this.#authorize.subscribe?.(session.ws, topic, session.values);
			const later = promiseOf(allowed);
			return later === undefined ? decisionOf(allowed) : this.#decideLater(later, session, topic);
		} catch (err) {
			return topicFault(this.#faults, { operation: 'subscribe', session, topic, err });
		}
	}

	async #decideLater(allowed: Promise<unknown>, session: Session, topic: string): Promise<Decision> {
		try {
			return decisionOf(await allowed);
		} catch (err) {
			return topicFault(this.#faults, { operation: 'subscribe', session, topic, err });
		}
	}
}

function decisionOf(allowed: unknown): Decision {
	return allowed === true ? 'allowed' : 'forbidden';
}
