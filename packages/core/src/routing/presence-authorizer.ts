import { promiseOf, show } from '@orijs/websocket/internal';
import type { EndpointPresenceOptions } from '../presence-options.ts';
import type { Session } from '../session/session.ts';
import type { FaultLog } from '../support/fault-log.ts';
import type { MaybePromise } from './maybe-promise.ts';
import { type Decision, MEMBER, NotAuthorized } from './topic-authorizer.ts';
import { topicFault } from './topic-fault.ts';

/** Asks the application whether clients may see who is in topics. */
export class PresenceAuthorizer {
	readonly #options: Pick<EndpointPresenceOptions, 'authorize'>;
	readonly #faults: FaultLog;

	constructor(options: Pick<EndpointPresenceOptions, 'authorize'>, faults: FaultLog) {
		this.#options = options;
		this.#faults = faults;
	}

	/** Returns the application's decision. Never throws or rejects. */
	decide(session: Session, topic: string): MaybePromise<Decision> {
		try {
			const answer: unknown = this.#options.authorize?.(session.ws, topic, session.values);
			const later = promiseOf(answer);
			if (later === undefined) return this.#read(answer, session, topic);
			return later.then(
				(value) => this.#read(value, session, topic),
				(err: unknown) => this.#failed(err, session, topic),
			);
		} catch (err) {
			return this.#failed(err, session, topic);
		}
	}

	#read(answer: unknown, session: Session, topic: string): Decision {
		if (answer === true) return MEMBER;
		if (answer !== false) {
			this.#faults.wrong(
				`presence.authorize has answered ${show(answer)} for ${topic}, which allows nothing: it must be true or false`,
				'presence.authorize has answered something other than true or false',
				{ socketId: session.socketId, topic },
			);
		}
		return new NotAuthorized('forbidden', `Not authorized to see who is in ${topic}`);
	}

	#failed(err: unknown, session: Session, topic: string): Decision {
		return topicFault(this.#faults, { operation: 'watch', session, topic, err });
	}
}
