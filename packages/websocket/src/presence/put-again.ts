import type { OwnTopic } from './own-member.ts';

interface Walk {
	readonly isAffected: (topic: string) => boolean;
	readonly topics: Iterator<OwnTopic>;
}

const ALL = (): boolean => true;

/** Goes through topics whose records may be lost, a few at a time. */
export class PutAgain {
	readonly #topics: () => Iterator<OwnTopic>;
	#walks: Walk[] = [];

	/** @param topics returns all topics, which may change meanwhile */
	constructor(topics: () => Iterator<OwnTopic>) {
		this.#topics = topics;
	}

	/** Whether there are topics left. */
	get isPending(): boolean {
		return this.#walks.length > 0;
	}

	/** Begins with all topics, again if that has begun before. */
	all(): void {
		this.#walks = [{ isAffected: ALL, topics: this.#topics() }];
	}

	some(isAffected: (topic: string) => boolean): void {
		this.#walks.push({ isAffected, topics: this.#topics() });
	}

	/** Looks at the next topics, at most `count`, and calls `found` for those that are affected. */
	next(count: number, found: (topic: OwnTopic) => void): void {
		for (let looked = 0; looked < count; looked++) {
			const [walk] = this.#walks;
			if (walk === undefined) return;
			const next = walk.topics.next();
			if (next.done === true) this.#walks.shift();
			else if (walk.isAffected(next.value.name)) found(next.value);
		}
	}
}
