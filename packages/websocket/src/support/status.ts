import type { Logger } from '../logger.ts';

/** `ready`: messages pass between all nodes. `degraded`: they may not. `stopped`: not started, or stopped. */
export type ProviderStatus = 'ready' | 'degraded' | 'stopped';

/** A provider's status, and who wants to know of it. */
export class Status {
	readonly #logger: Logger;
	readonly #listeners = new Set<(status: ProviderStatus) => void>();
	#value: ProviderStatus = 'stopped';

	constructor(logger: Logger) {
		this.#logger = logger;
	}

	get value(): ProviderStatus {
		return this.#value;
	}

	set(value: ProviderStatus): void {
		if (value === this.#value) return;
		this.#value = value;
		for (const listener of this.#listeners) {
			try {
				listener(value);
			} catch (err) {
				this.#logger.error('A status listener failed', { status: value, err });
			}
		}
	}

	/** Returns the undo. */
	on(listener: (status: ProviderStatus) => void): () => void {
		const own = (status: ProviderStatus): void => listener(status);
		this.#listeners.add(own);
		return () => void this.#listeners.delete(own);
	}
}
