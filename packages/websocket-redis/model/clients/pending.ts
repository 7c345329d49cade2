/** Promises that have not settled, by what they are. */
export class Pending {
	readonly #what = new Map<Promise<unknown>, string>();

	/** Follows a promise until it settles. Its rejection is not an error here. */
	watch<Value>(what: string, promise: Promise<Value>): Promise<Value> {
		this.#what.set(promise, what);
		promise.finally(() => this.#what.delete(promise)).catch(() => {});
		return promise;
	}

	get list(): string[] {
		return [...this.#what.values()];
	}
}
