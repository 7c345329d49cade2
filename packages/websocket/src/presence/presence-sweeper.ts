import { LEASE_MS } from '../nodes/lease.ts';
import { sleep } from '../support/promises.ts';
import { answered } from './answered.ts';
import type { OutageLog } from './outage-log.ts';
import type { HandedOut } from './presence-lease.ts';
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
/**
 * The time until the next step if one has removed nothing, as what is left may have to linger first, in milliseconds.
 * It doubles.
 */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Removes the members of nodes whose leases have ended, as far as the backend has handed them to this node. */
export class PresenceSweeper {
	readonly #options: PresenceSweeperOptions;
	readonly #sweeping = new Map<string, Promise<void>>();
	#quietUntil = -Infinity;
	#isStopped = true;

	constructor(options: PresenceSweeperOptions) {
		this.#options = options;
	}

	start(): void {
		this.#isStopped = false;
		this.#quietUntil = -Infinity;
	}

	/** Resolves once no step is on its way. */
	async stop(): Promise<void> {
		this.#isStopped = true;
		await Promise.all(this.#sweeping.values());
	}

	/**
	 * Called when this node's own lease had ended, because it was frozen or cut off from the backend. Others may have
	 * been, too: they get the time of a lease to come back. Nodes that have released theirs don't.
	 */
	wasAway(now: number): void {
		this.#quietUntil = now + LEASE_MS;
	}

	/**
	 * Sweeps leases. What is not done while they are this node's is handed out again.
	 *
	 * @param askedAt when this node asked for them, by the monotonic clock
	 */
	sweep({ expired, released }: HandedOut, askedAt: number): void {
		for (const lease of askedAt < this.#quietUntil ? released : expired) {
			const id = `${lease.nodeId}:${lease.generation}`;
			if (this.#sweeping.has(id)) continue;
			this.#sweeping.set(
				id,
				this.#sweepOne(lease, askedAt + CLAIMED_MS).finally(() => this.#sweeping.delete(id)),
			);
		}
	}

	/** Never rejects. */
	async #sweepOne(lease: PresenceLease, until: number): Promise<void> {
		const { outages } = this.#options;
		try {
			await this.#sweepUntil(lease, until);
			outages.over('sweep');
		} catch (thrown) {
			outages.failed('sweep', thrown);
		}
	}

	async #sweepUntil(lease: PresenceLease, until: number): Promise<void> {
		const { store } = this.#options;
		const membersUpTo = (topic: string): number => this.#options.membersUpTo(topic);
		let pauseMs = FIRST_PAUSE_MS;
		while (!this.#isStopped && this.#options.isReady() && performance.now() < until) {
			const header = this.#options.header();
			const { isDone, removed } = await answered(store.sweep(lease, { header, membersUpTo, topics: TOPICS }));
			if (isDone) return;
			if (removed > 0) {
				pauseMs = FIRST_PAUSE_MS;
				continue;
			}
			await sleep(pauseMs);
			pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
		}
	}
}
