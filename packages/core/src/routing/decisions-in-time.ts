import { Deadlines } from '../support/deadlines.ts';
import { isAvailable, type MaybePromise } from './maybe-promise.ts';
import { TIMED_OUT } from './refusal-texts.ts';
import type { Decision } from './topic-authorizer.ts';

/**
 * Waits for decisions of the application, each at most for a given time: then, it is `timeout`.
 *
 * @typeParam TQuestion identifies a decision; an object of its own each time
 */
export class DecisionsInTime<TQuestion extends object> {
	readonly #asking = new Map<TQuestion, (decision: Decision) => void>();
	readonly #deadlines: Deadlines<TQuestion>;

	/** @param onTimeout called for each decision that has taken too long; must not throw */
	constructor(ms: number, onTimeout: (question: TQuestion) => void) {
		this.#deadlines = new Deadlines(ms, (question) => {
			onTimeout(question);
			this.#settle(question, { code: 'timeout', message: TIMED_OUT });
		});
	}

	/** Returns the decision; a promise if it is not available yet, which never rejects. */
	of(question: TQuestion, decision: MaybePromise<Decision>): MaybePromise<Decision> {
		if (isAvailable(decision)) return decision;
		const { promise, resolve } = Promise.withResolvers<Decision>();
		this.#asking.set(question, resolve);
		this.#deadlines.add(question);
		void decision.then((inTime) => this.#settle(question, inTime));
		return promise;
	}

	#settle(question: TQuestion, decision: Decision): void {
		this.#asking.get(question)?.(decision);
		this.#asking.delete(question);
		this.#deadlines.delete(question);
	}

	/** Waits no longer: everything that is not decided is `stopping`. */
	stop(): void {
		this.#deadlines.clear();
		for (const resolve of this.#asking.values()) resolve({ code: 'stopping', message: 'The server is stopping' });
		this.#asking.clear();
	}
}
