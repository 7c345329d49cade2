import type { Logger } from '../logger.ts';
import { FailureLog } from './failure-log.ts';
import { Listeners } from './listeners.ts';

/**
 * `ready`: messages pass between all nodes. `degraded`: some messages may not pass, or can't be read from a history.
 * `stopped`: the provider has not been started, or was stopped.
 */
export type ProviderStatus = 'ready' | 'degraded' | 'stopped';

/** Holds a provider's status, and calls its listeners on each change. */
export class Status {
	readonly #listeners: Listeners<ProviderStatus>;
	#value: ProviderStatus = 'stopped';

	constructor(logger: Logger) {
		const failures = new FailureLog(logger);
		this.#listeners = new Listeners((thrown, status) => failures.report(thrown, 'onStatus', { status }));
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
	on(listener: (status: ProviderStatus) => unknown): () => void {
		return this.#listeners.add(listener);
	}
}
