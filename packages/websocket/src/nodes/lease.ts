import type { Logger } from '../logger.ts';
import { FailureLog } from '../support/failure-log.ts';
import { Listeners } from '../support/listeners.ts';

/** How long a lease lasts from the sending of the last beat that the backend accepted, in milliseconds. */
export const LEASE_MS = 10_000;

/**
 * This node's lease at the backend. What a node has stored there counts for as long as its lease lasts; others may
 * remove it afterwards. So a node whose lease has expired, such as one that was frozen, takes a new generation before
 * it goes on. Times are by the monotonic clock, which can't be set.
 */
export class NodeLease {
	readonly nodeId: string;
	readonly #listeners: Listeners<number>;
	#generation = 0;
	/** Whether no beat has been accepted yet in this generation. */
	#isUnused = false;
	#expiresAt = -Infinity;

	constructor(nodeId: string, logger: Logger) {
		this.nodeId = nodeId;
		const failures = new FailureLog(logger);
		this.#listeners = new Listeners((thrown) => failures.report(thrown, 'onLease'));
	}

	/** A number that grows with each lease of this node; 0 before the first. */
	get generation(): number {
		return this.#generation;
	}

	/** Returns whether the lease has expired, or has not begun: no beat of this generation has been accepted. */
	isExpired(now: number): boolean {
		return this.#isUnused || now > this.#expiresAt;
	}

	/** Called when this node starts. */
	start(): void {
		this.#renew();
	}

	/**
	 * Called before a beat is sent. If the lease has expired, takes a new generation, and returns true. In an outage that
	 * happens once.
	 */
	ensure(now: number): boolean {
		if (this.#isUnused || !this.isExpired(now)) return false;
		this.#renew();
		this.#listeners.call(this.#generation);
		return true;
	}

	/** Called when the backend has accepted a beat. @param sentAt when it was sent */
	renewed(sentAt: number): void {
		this.#isUnused = false;
		this.#expiresAt = Math.max(this.#expiresAt, sentAt + LEASE_MS);
	}

	/** Calls a listener with each new generation after the first. Returns a function that removes it. */
	onNewGeneration(listener: (generation: number) => unknown): () => void {
		return this.#listeners.add(listener);
	}

	#renew(): void {
		this.#generation = Math.max(Date.now(), this.#generation + 1);
		this.#isUnused = true;
	}
}
