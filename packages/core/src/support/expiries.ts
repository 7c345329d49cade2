/** The precision of expiries, in milliseconds. */
const SLOT_MS = 250;

/** How late a slot must be looked at to show that the process has hung, in milliseconds. */
const SHORTEST_STALL_MS = 1_000;

/** How many slots' time items are given after that. */
const SLOTS_AFTER_STALL = 4;

/**
 * A set whose items expire at times of their own: never early, and usually at most half a second late. Times are
 * measured by the monotonic clock, so setting the system's clock changes nothing, and may be any number of years away.
 * One timer serves all items, and runs only while there are any.
 *
 * After a time in which the process hung, items that are due are given another second: what prolongs them may have
 * arrived without being read.
 */
export class Expiries<TItem> {
	readonly #onExpired: (item: TItem) => void;
	/** The slot in which each item expires. */
	readonly #slots = new Map<TItem, number>();
	readonly #items = new Map<number, Set<TItem>>();
	/** The last slot whose items have expired. */
	#expiredSlot = 0;
	#lookedAt = 0;
	#slotsToWait = 0;
	#hasWaited = false;
	#timer: ReturnType<typeof setInterval> | undefined;

	/** @param onExpired called once for each item, which it may set again; must not throw */
	constructor(onExpired: (item: TItem) => void) {
		this.#onExpired = onExpired;
	}

	/** Sets when an item expires, in place of an earlier time. @param inMs milliseconds from now */
	set(item: TItem, inMs: number): void {
		const now = performance.now();
		this.#remove(item);
		const slot = Math.floor((now + Math.max(0, inMs)) / SLOT_MS) + 1;
		this.#slots.set(item, slot);
		const items = this.#items.get(slot);
		if (items === undefined) this.#items.set(slot, new Set([item]));
		else items.add(item);
		if (this.#timer !== undefined) return;
		this.#expiredSlot = Math.floor(now / SLOT_MS);
		this.#lookedAt = now;
		this.#timer = setInterval(() => this.#look(), SLOT_MS);
		// The timer must not keep the process of a stopped application alive.
		this.#timer.unref();
	}

	delete(item: TItem): void {
		this.#remove(item);
		if (this.#slots.size === 0) this.#stop();
	}

	/** Deletes all items. */
	clear(): void {
		this.#slots.clear();
		this.#items.clear();
		this.#stop();
	}

	#remove(item: TItem): void {
		const slot = this.#slots.get(item);
		if (slot === undefined) return;
		this.#slots.delete(item);
		const items = this.#items.get(slot);
		items?.delete(item);
		if (items?.size === 0) this.#items.delete(slot);
	}

	#look(): void {
		const now = performance.now();
		// Only once: a process that hangs again and again must not wait forever.
		if (now - this.#lookedAt > SHORTEST_STALL_MS && !this.#hasWaited) {
			this.#hasWaited = true;
			this.#slotsToWait = SLOTS_AFTER_STALL;
		}
		this.#lookedAt = now;
		if (this.#slotsToWait > 0) {
			this.#slotsToWait--;
			return;
		}
		this.#hasWaited = false;
		const slot = Math.floor(now / SLOT_MS);
		while (this.#expiredSlot < slot && this.#slots.size > 0) this.#expire(++this.#expiredSlot);
		this.#expiredSlot = slot;
		if (this.#slots.size === 0) this.#stop();
	}

	#expire(slot: number): void {
		const items = this.#items.get(slot);
		if (items === undefined) return;
		this.#items.delete(slot);
		for (const item of items) {
			// It may have been deleted or prolonged meanwhile.
			if (this.#slots.get(item) !== slot) continue;
			this.#slots.delete(item);
			this.#onExpired(item);
		}
	}

	#stop(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
		this.#slotsToWait = 0;
		this.#hasWaited = false;
	}
}
