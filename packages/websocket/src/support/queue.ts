/** How many items that were taken are kept at most, if they are fewer than the others. */
const MOST_TAKEN = 1_024;

/** A queue of any length, each operation of which takes constant time. */
export class Queue<TItem> {
	#items: TItem[] = [];
	/** The number of items at the start of the list that have been taken. */
	#taken = 0;

	get size(): number {
		return this.#items.length - this.#taken;
	}

	push(item: TItem): void {
		this.#items.push(item);
	}

	/** Takes the oldest item; undefined if the queue is empty. */
	shift(): TItem | undefined {
		if (this.size === 0) return undefined;
		const item = this.#items[this.#taken++];
		if (this.size === 0 || (this.#taken >= MOST_TAKEN && this.#taken >= this.size)) {
			this.#items = this.#items.slice(this.#taken);
			this.#taken = 0;
		}
		return item;
	}
}
