import { IDEMPOTENCY_MS } from './history-store.ts';

/**
 * The idempotency keys of a topic. Two generations take turns, so that the old ones are let go together: deleting them one by one from the
 * front of a large Map costs more with each one.
 */
export class RecentKeys {
	#young = new Map<string, number>();
	#old = new Map<string, number>();
	#turn = 0;

	/** Remembers the key from now on; false if it was already, which does not make it last longer. */
	add(key: string, now: number): boolean {
		this.expire(now);
		const added = this.#young.get(key) ?? this.#old.get(key);
		if (added !== undefined && now - added < IDEMPOTENCY_MS) return false;
		this.#young.set(key, now);
		return true;
	}

	/** Lets go of keys that expired. Each is gone twice {@link IDEMPOTENCY_MS} after it was added, if this is called now and then. */
	expire(now: number): void {
		if (now < this.#turn) return;
		// Whoever comes after a whole generation has passed finds the young ones expired as well.
		this.#old = now < this.#turn + IDEMPOTENCY_MS ? this.#young : new Map();
		this.#young = new Map();
		this.#turn = now + IDEMPOTENCY_MS;
	}

	get size(): number {
		return this.#young.size + this.#old.size;
	}
}
