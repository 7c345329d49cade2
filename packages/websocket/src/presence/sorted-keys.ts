import { compareKeys } from './key-order.ts';

/** Keys in order, for paging. They are sorted at the first page, and kept in order from then on. */
export class SortedKeys {
	readonly #all: () => Iterable<string>;
	#sorted: string[] | undefined;

	/** @param all returns all keys, in any order */
	constructor(all: () => Iterable<string>) {
		this.#all = all;
	}

	added(key: string): void {
		this.#sorted?.splice(firstAfter(this.#sorted, key), 0, key);
	}

	removed(key: string): void {
		this.#sorted?.splice(firstAfter(this.#sorted, key) - 1, 1);
	}

	/** Returns at most `limit` keys after the key `after`, which need not exist, or the first ones. */
	page(after: string | undefined, limit: number): readonly string[] {
		this.#sorted ??= [...this.#all()].toSorted(compareKeys);
		const from = after === undefined ? 0 : firstAfter(this.#sorted, after);
		return this.#sorted.slice(from, from + limit);
	}
}

/** Returns the index of the first key after `key`. */
function firstAfter(sorted: readonly string[], key: string): number {
	let least = 0;
	let most = sorted.length;
	while (least < most) {
		const middle = (least + most) >>> 1;
		if (compareKeys(sorted[middle] ?? '', key) <= 0) least = middle + 1;
		else most = middle;
	}
	return least;
}
