import type { Logger } from '../logger.ts';
import { Listeners } from './listeners.ts';

/** `ready`: messages pass between all nodes. `degraded`: some may not. `stopped`: not started, or stopped. */
export type ProviderStatus = 'ready' | 'degraded' | 'stopped';

/** A provider's status, and its listeners. */
export class Status {
	readonly #listeners: Listeners<ProviderStatus>;
	#value: ProviderStatus = 'stopped';

	constructor(logger: Logger) {
		this.#listeners = new Listeners((err, status) => logger.error('A status listener failed', { status, err }));
	}

	get value(): ProviderStatus {
		return this.#value;
	}

	set(value: ProviderStatus): void {
		if (value === this.#value) return;
		this.#value = value;
		this.#listeners.call(value);
	}

	/** Adds a listener. Returns a function that removes it. */
	on(listener: (status: ProviderStatus) => void): () => void {
		return this.#listeners.add(listener);
	}
}
