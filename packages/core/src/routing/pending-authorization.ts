import type { RequestFault } from '@orijs/websocket/protocol';
import { isAvailable, type MaybePromise } from './maybe-promise.ts';
import { TIMED_OUT } from './refusal-texts.ts';
import type { Decision } from './topic-authorizer.ts';

/** A request for which the application has not yet decided on every topic. */
export class PendingAuthorization {
	/** The type of the message. */
	readonly type: string;
	readonly #decisions: Decision[];
	readonly #continue: (decisions: readonly Decision[]) => void;

	/** @param then continues the request, given one decision per topic */
	constructor(
		type: string,
		decisions: readonly MaybePromise<Decision>[],
		then: (decisions: readonly Decision[]) => void,
	) {
		this.type = type;
		this.#continue = then;
		this.#decisions = decisions.map((decision) => (isAvailable(decision) ? decision : TIMEOUT));
		for (const [index, decision] of decisions.entries()) {
			if (!isAvailable(decision)) void decision.then((late) => (this.#decisions[index] = late));
		}
	}

	/** Continues the request with the decisions made so far; all other topics are refused with `timeout`. */
	timeOut(): void {
		this.#continue(this.#decisions);
	}
}

const TIMEOUT: RequestFault = { code: 'timeout', message: TIMED_OUT };
