import type { PresenceLease } from '@orijs/websocket';
import type { LeaseStore } from './lease-store.ts';

/** How many leases are remembered as known. */
const MAX_KNOWN = 10_000;

/**
 * Makes sure that each lease that has records somewhere can be swept one day, also if the server of the leases has lost
 * them while their nodes were gone.
 */
export class KnownLeases {
	readonly #leases: LeaseStore;
	#known = new Set<string>();
	/** The first of the look-ups that are on their way, by lease. */
	readonly #pending = new Map<string, Promise<boolean>>();

	constructor(leases: LeaseStore) {
		this.#leases = leases;
	}

	/** Called with leases that have records in a topic. Those that have not been seen before are looked up. */
	seen(topic: string, leases: readonly PresenceLease[]): void {
		for (const lease of leases) {
			const id = `${lease.nodeId} ${lease.generation}`;
			if (!this.#known.has(id)) void this.#lookUp(id, topic, lease);
		}
	}

	/** Called if the server of the leases may have lost some. */
	clear(): void {
		// What look-ups that are on their way find out is no longer true.
		this.#known = new Set();
		this.#pending.clear();
	}

	async #lookUp(id: string, topic: string, lease: PresenceLease): Promise<void> {
		const known = this.#known;
		if ((await this.#pending.get(id)) === true) return;
		const asked = this.#leases.adopt(lease, topic).catch(() => false);
		if (!this.#pending.has(id)) this.#pending.set(id, asked);
		const isKnown = await asked;
		if (this.#pending.get(id) === asked) this.#pending.delete(id);
		if (!isKnown) return;
		if (known.size === MAX_KNOWN) known.clear();
		known.add(id);
	}
}
