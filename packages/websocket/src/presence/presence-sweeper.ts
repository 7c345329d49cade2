import type { OutageLog } from './outage-log.ts';
import { PRESENCE_LEASE_MS } from './presence-lease.ts';
import { CLAIMED_MS, type PresenceLease, type PresenceStore } from './presence-store.ts';

export interface PresenceSweeperOptions {
	readonly store: PresenceStore;
	/** Returns the start of the change frames. */
	header(): Uint8Array;
	/** See {@link PresenceBatch.membersUpTo}. */
	membersUpTo(topic: string): number;
	/** Returns whether the backend is available. */
	isReady(): boolean;
	readonly outages: OutageLog;
}

/** The topics of one step. */
const TOPICS = 100;

/** Removes the members of nodes whose leases have expired, as far as the backend has handed them to this node. */
export class PresenceSweeper {
	readonly #options: PresenceSweeperOptions;
	#quietUntil = -Infinity;
	#sweeping: Promise<void> | undefined;
	#isStopped = true;

	constructor(options: PresenceSweeperOptions) {
		this.#options = options;
	}

	start(): void {
		this.#isStopped = false;
	}

	/** Resolves once no step is on its way. */
	async stop(): Promise<void> {
		this.#isStopped = true;
		await this.#sweeping;
	}

	/**
	 * Called when this node was cut off from the backend for so long that its own lease has ended. The others may have
	 * been, too: they get the time of a lease to come back.
	 */
	wasAway(now: number): void {
		this.#quietUntil = now + PRESENCE_LEASE_MS;
	}

	/**
	 * Sweeps leases, one after the other. What is not done while they are this node's is handed out again.
	 *
	 * @param askedAt when this node asked for them, by the monotonic clock
	 */
	sweep(leases: readonly PresenceLease[], askedAt: number): void {
		if (this.#sweeping !== undefined || askedAt < this.#quietUntil) return;
		this.#sweeping = this.#sweepAll(leases, askedAt + CLAIMED_MS).finally(() => (this.#sweeping = undefined));
	}

	async #sweepAll(leases: readonly PresenceLease[], until: number): Promise<void> {
		const { store, outages, header, membersUpTo, isReady } = this.#options;
		try {
			for (const lease of leases) {
				for (let isDone = false; !isDone; ) {
					if (this.#isStopped || !isReady() || performance.now() >= until) return;
					// One after the other: each step is one of the backend's, which others wait for.
					// oxlint-disable-next-line no-await-in-loop
					({ isDone } = await store.sweep(lease, { header: header(), membersUpTo, topics: TOPICS }));
				}
			}
			outages.over();
		} catch (thrown) {
			outages.failed(thrown);
		}
	}
}
