import type { HistoryBounds, HistoryEntry } from './history-store.ts';

/** With fewer free slots than this at the front, it is not worth moving the entries. */
const TOLERATED_GAP = 64;

/** Entries in the order of their offsets, added at the end and removed at the front, at an amortized constant cost. */
export class KeptEntries {
	readonly #entries: (HistoryEntry | undefined)[] = [];
	/** The size of each entry in bytes, at the same index. */
	readonly #sizes: number[] = [];
	#head = 0;
	#bytes = 0;

	get count(): number {
		return this.#entries.length - this.#head;
	}

	/** The number of allocated slots, including the free ones at the front. */
	get slots(): number {
		return this.#entries.length;
	}

	push(entry: HistoryEntry, size: number): void {
		this.#entries.push(entry);
		this.#sizes.push(size);
		this.#bytes += size;
	}

	/** Removes the oldest entries until the rest is within the bounds. */
	trim({ size, bytes, ttlMs }: HistoryBounds, now: number): void {
		const length = this.#entries.length;
		let head = this.#head;
		while (head < length) {
			const fits = length - head <= size && this.#bytes <= bytes;
			if (fits && now - this.#entries[head]!.timestamp <= ttlMs) break;
			this.#bytes -= this.#sizes[head]!;
			this.#entries[head] = undefined;
			head++;
		}
		this.#head = head;
		if (head === length) this.clear();
		else if (head >= TOLERATED_GAP && head * 2 >= length) this.#compact();
	}

	clear(): void {
		this.#entries.length = this.#sizes.length = this.#head = this.#bytes = 0;
	}

	/** Returns the oldest entries after an offset. */
	after(offset: number, limit: number): HistoryEntry[] {
		const from = this.#indexOf(offset + 1);
		return this.#slice(from, from + limit);
	}

	/** Returns the newest entries before an offset, oldest first. */
	before(offset: number, limit: number): HistoryEntry[] {
		const to = this.#indexOf(offset);
		return this.#slice(to - limit, to);
	}

	/** Returns the index of the first entry with this offset or a higher one. */
	#indexOf(offset: number): number {
		let low = this.#head;
		let high = this.#entries.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.#entries[middle]!.offset < offset) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	#slice(from: number, to: number): HistoryEntry[] {
		// Slots before the head are free.
		return this.#entries.slice(Math.max(from, this.#head), to) as HistoryEntry[];
	}

	#compact(): void {
		this.#entries.splice(0, this.#head);
		this.#sizes.splice(0, this.#head);
		this.#head = 0;
	}
}
