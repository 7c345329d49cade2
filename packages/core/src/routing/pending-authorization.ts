import type { RequestFault } from '@orijs/websocket/protocol';
import { allOf, isAvailable, type MaybePromise } from './maybe-promise.ts';
import { TIMED_OUT } from './refusal-texts.ts';
import type { Decision } from './topic-authorizer.ts';

type Decisions = readonly MaybePromise<Decision>[];

/** A request for which the application has not yet decided on every topic. */
export class PendingAuthorization {
	/** The type of the message. */
	readonly type: string;
	readonly #ask: () => Decisions;
	readonly #continue: (decisions: readonly Decision[]) => void;
	/** The decisions made so far; `timeout` for the others. */
	#made: readonly Decision[];
	#isOutdated = false;

	/**
	 * @param ask asks about all topics again
	 * @param then continues the request, given one decision per topic
	 */
	constructor(type: string, ask: () => Decisions, then: (decisions: readonly Decision[]) => void, asked: Decisions) {
		this.type = type;
		this.#ask = ask;
		this.#continue = then;
		this.#made = collected(asked);
	}

	/** Called when the client's rights may have changed: what was decided before does not count. */
	outdate(): void {
		this.#isOutdated = true;
		this.#made = this.#made.map(() => TIMEOUT);
	}

	/** Resolves with one decision per topic, none of which is outdated. */
	async decided(asked: Decisions): Promise<readonly Decision[]> {
		const decided = await allOf(asked);
		if (!this.#isOutdated) return decided;
		this.#isOutdated = false;
		const again = this.#ask();
		this.#made = collected(again);
		return this.decided(again);
	}

	/** Continues the request with the decisions made so far; all other topics are refused with `timeout`. */
	timeOut(): void {
		this.#continue(this.#made);
	}
}

/** Returns the decisions, to which those that are missing are added as they are made. */
function collected(asked: Decisions): readonly Decision[] {
	const made = asked.map((decision) => (isAvailable(decision) ? decision : TIMEOUT));
	for (const [index, decision] of asked.entries()) {
		if (!isAvailable(decision)) void decision.then((late) => (made[index] = late));
	}
	return made;
}

const TIMEOUT: RequestFault = { code: 'timeout', message: TIMED_OUT };
