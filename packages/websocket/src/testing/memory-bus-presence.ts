import type { PresenceStore } from '../presence/presence-store.ts';
import { quiet } from '../support/promises.ts';

export interface MemoryBusPresenceOptions {
	/** What the buses of the backend share. */
	readonly store: PresenceStore;
	/** Returns how many times the backend has lost what it knew. */
	readonly losses: () => number;
	/** @throws the link is known to be cut */
	readonly mustBeReachable: () => void;
	/** Returns whether requests get through. */
	readonly isUp: () => boolean;
	/** Resolves when the backend has answered a request. Rejects if the link breaks before that. */
	readonly answered: () => Promise<void>;
}

/** Keeps presence at a backend in memory, over one bus's link to it. */
export class MemoryBusPresence implements PresenceStore {
	readonly #options: MemoryBusPresenceOptions;
	#onLost: ((isAffected: (topic: string) => boolean) => void) | undefined;
	#losses: number;

	constructor(options: MemoryBusPresenceOptions) {
		this.#options = options;
		this.#losses = options.losses();
	}

	/** Called when the backend can be reached, and may have lost what it knew. */
	noticeLoss(): void {
		const losses = this.#options.losses();
		if (losses === this.#losses) return;
		this.#losses = losses;
		this.#onLost?.(() => true);
	}

	prepare: PresenceStore['prepare'] = () => this.#ask((store) => store.prepare());
	apply: PresenceStore['apply'] = (...call) => this.#ask((store) => store.apply(...call));
	read: PresenceStore['read'] = (...call) => this.#ask((store) => store.read(...call));
	count: PresenceStore['count'] = (...call) => this.#ask((store) => store.count(...call));
	renew: PresenceStore['renew'] = (...call) => this.#ask((store) => store.renew(...call));
	sweep: PresenceStore['sweep'] = (...call) => this.#ask((store) => store.sweep(...call));
	release: PresenceStore['release'] = (...call) => this.#ask((store) => store.release(...call));

	onLost(listener: (isAffected: (topic: string) => boolean) => void): void {
		this.#onLost = listener;
	}

	async #ask<T>(request: (store: PresenceStore) => Promise<T>): Promise<T> {
		const { store, mustBeReachable, isUp, answered } = this.#options;
		mustBeReachable();
		// A request on a frozen link never reaches the backend, and gets no answer until the link is dropped.
		if (!isUp()) {
			await answered();
			throw new Error('the request never reached the memory backend');
		}
		const answer = quiet(request(store));
		// Change frames are scheduled already, so they arrive before this answer.
		await answered();
		return answer;
	}
}
