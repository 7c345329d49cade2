import type { PositionStorage } from '../index.ts';

/** A storage in memory, which several clients can share. */
export class MapStorage implements PositionStorage {
	readonly values: Map<string, string> = new Map();
	/** The number of calls of `setItem`. */
	writes = 0;
	/** Thrown by all calls that match, if set. */
	fault: ((call: 'getItem' | 'setItem' | 'key') => boolean) | undefined;

	get length(): number {
		return this.values.size;
	}

	key(index: number): string | null {
		this.#mayFail('key');
		return [...this.values.keys()][index] ?? null;
	}

	getItem(key: string): string | null {
		this.#mayFail('getItem');
		return this.values.get(key) ?? null;
	}

	setItem(key: string, value: string): void {
		this.#mayFail('setItem');
		this.writes++;
		this.values.set(key, value);
	}

	removeItem(key: string): void {
		this.values.delete(key);
	}

	#mayFail(call: 'getItem' | 'setItem' | 'key'): void {
		if (this.fault?.(call) === true) throw new Error(`${call} failed`);
	}
}
