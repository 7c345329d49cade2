import type { OwnTopic } from './own-member.ts';

type IsAffected = (topic: string) => boolean;

/** With more causes than this at a time, all topics count as affected. */
const MOST_CAUSES = 32;

const ALL: IsAffected = () => true;

/** Goes through topics whose records may be lost, a few at a time. */
export class PutAgain {
	readonly #topics: () => Iterator<OwnTopic>;
	/** The current round; undefined between rounds. */
	#round: Iterator<OwnTopic> | undefined;
	/** What has caused the current round, and the next one. */
	#causes: readonly IsAffected[] = [];
	#next: IsAffected[] = [];

	/** @param topics returns all topics, which may change meanwhile */
	constructor(topics: () => Iterator<OwnTopic>) {
		this.#topics = topics;
	}

	/** Whether there are topics left. */
	get isPending(): boolean {
		return this.#round !== undefined || this.#next.length > 0;
	}

	/** Begins with all topics, again if that has begun before. */
	all(): void {
		this.#round = undefined;
		this.#next = [ALL];
	}

	some(isAffected: IsAffected): void {
		if (this.#next[0] === ALL) return;
		if (this.#next.length < MOST_CAUSES) this.#next.push(isAffected);
		else this.#next = [ALL];
	}

	/** Looks at the next topics, at most `count`, and calls `found` for those that are affected. */
	next(count: number, found: (topic: OwnTopic) => void): void {
		for (let looked = 0; looked < count; looked++) {
			if (this.#round === undefined) {
				if (this.#next.length === 0) return;
				this.#causes = this.#next;
				this.#next = [];
				this.#round = this.#topics();
			}
			const { done, value } = this.#round.next();
			if (done === true) this.#round = undefined;
			else if (this.#causes.some((isAffected) => isAffected(value.name))) found(value);
		}
	}
}
