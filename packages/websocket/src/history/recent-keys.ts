import { IDEMPOTENCY_MS } from './history-store.ts';

/**
 * The recent idempotency keys of a topic, in two generations, so that old keys are dropped all at once: deleting them
 * one by one from the front of a large Map gets slower with each deletion.
 */
export class RecentKeys {
	#young = new Map<string, number>();
	#old = new Map<string, number>();
	#turnsAt = 0;

	/** Remembers a key. Returns false if it was already known; then its time is not extended. */
	add(key: string, now: number): boolean {
		this.expire(now);
		const added = this.#young.get(key) ?? this.#old.get(key);
		if (added !== undefined && now - added < IDEMPOTENCY_MS) return false;
		this.#young.set(key, now);
		return true;
	}

	/** Drops expired keys. If called regularly, drops each at most twice {@link IDEMPOTENCY_MS} after it was added. */
	expire(now: number): void {
		if (now < this.#turnsAt) return;
		// If a whole generation has passed, the young keys have expired as well.
		this.#old = now < this.#turnsAt + IDEMPOTENCY_MS ? this.#young : new Map();
		this.#young = new Map();
		this.#turnsAt = now + IDEMPOTENCY_MS;
	}

	get size(): number {
		return this.#young.size + this.#old.size;
	}
}
