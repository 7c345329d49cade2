import { type HistoryBounds, type HistoryEntry, LEAST_READ } from './history-store.ts';

/** While there are fewer free slots than this at the front, moving the entries is not worth the effort. */
const TOLERATED_GAP = 64;

/**
 * Keeps entries in the order of their offsets. They are added at the end and removed at the front, at an amortized
 * constant cost.
 */
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

	/** Returns the oldest entries after an offset. @param bytes as in `HistoryQuery` */
	after(offset: number, limit: number, bytes?: number): HistoryEntry[] {
		const from = this.#indexOf(offset + 1);
		const end = Math.min(from + limit, this.#entries.length);
		return this.#slice(from, bytes === undefined ? end : this.#reach(from, end, 1, bytes));
	}

	/** Returns the newest entries before an offset, oldest first. @param bytes as in `HistoryQuery` */
	before(offset: number, limit: number, bytes?: number): HistoryEntry[] {
		const to = this.#indexOf(offset);
		const end = Math.max(to - limit, this.#head) - 1;
		return this.#slice((bytes === undefined ? end : this.#reach(to - 1, end, -1, bytes)) + 1, to);
	}

	/** Returns the index at which a read stops because of its bound in bytes, or `end`. Both are exclusive. */
	#reach(from: number, end: number, step: 1 | -1, bytes: number): number {
		let size = 0;
		for (let at = from, read = 1; at !== end; at += step, read++) {
			size += this.#sizes[at]!;
			if (size > bytes && read >= LEAST_READ) return at + step;
		}
		return end;
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
		return this.#entries.slice(from, to) as HistoryEntry[];
	}

	#compact(): void {
		this.#entries.splice(0, this.#head);
		this.#sizes.splice(0, this.#head);
		this.#head = 0;
	}
}
