/** Random numbers that depend on nothing but the seed (mulberry32). */
export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** A number from 0 to below 1. */
	next(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	}

	/** A whole number from `min` to `max`. */
	between(min: number, max: number): number {
		return min + Math.floor(this.next() * (max - min + 1));
	}

	/** A whole number from `min` to `max`, small ones more often: each tenfold is equally likely. */
	scaled(min: number, max: number): number {
		return Math.round(min * (max / min) ** this.next());
	}

	/** Whether something happens that happens this often, from 0 to 1. */
	chance(probability: number): boolean {
		return this.next() < probability;
	}

	/** One of the items. @throws {RangeError} there are no items */
	pick<Item>(items: readonly Item[]): Item {
		if (items.length === 0) throw new RangeError('there is nothing to pick from');
		return items[this.between(0, items.length - 1)] as Item;
	}

	/** `count` of the items, each at most once. */
	sample<Item>(items: readonly Item[], count: number): Item[] {
		const rest = [...items];
		const chosen: Item[] = [];
		while (chosen.length < count && rest.length > 0) chosen.push(...rest.splice(this.between(0, rest.length - 1), 1));
		return chosen;
	}

	/** Another source, which depends on this one's seed and state, but not on how often this one is used later. */
	fork(): Random {
		return new Random(this.between(0, 2 ** 32 - 1));
	}
}
