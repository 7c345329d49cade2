import { LEASE_MS } from '../nodes/lease.ts';
import { answered } from './answered.ts';
import type { OutageLog } from './outage-log.ts';
import type { PresenceLease, PresenceStore, Renewal } from './presence-store.ts';

/** Leases that a node is to sweep. */
export type HandedOut = Pick<Renewal, 'expired' | 'released'>;

export interface OwnLeaseOptions {
	readonly store: PresenceStore;
	readonly nodeId: string;
	/** Called when a new generation holds: nothing that was put before counts any longer. */
	onHeld(): void;
	/** Called with the leases of other nodes that are this one's to sweep. @param askedAt by the monotonic clock */
	onExpired(leases: HandedOut, askedAt: number): void;
	/**
	 * Called after each renewal.
	 *
	 * @param backendMs what the time was at the backend, in milliseconds since the epoch
	 * @param at when that was, by the monotonic clock
	 */
	onTime(backendMs: number, at: number): void;
	readonly outages: OutageLog;
}

const RENEW_MS = 2_000;
/** After a failed renewal. */
const RETRY_MS = 500;
/** The shortest time between two generations, in milliseconds: with each, all members are put again. */
const SHORTEST_LEASE_MS = 1_000;

/**
 * This node's lease on its members' records, which it renews. The members of a node whose lease has expired are
 * removed by others, so a node that is late, such as one that was frozen, takes a new generation before it goes on.
 * Times are by the monotonic clock.
 */
export class OwnLease {
	readonly #options: OwnLeaseOptions;
	#current: PresenceLease;
	/** When the current generation was taken, or is to be asked for. */
	#takenAt = -Infinity;
	/** Whether the backend has not confirmed this generation yet. */
	#isNew = true;
	#expiresAt = -Infinity;
	/** When it was last renewed, or tried to. */
	#sentAt = -Infinity;
	#isRunning = false;
	#renewing: Promise<void> | undefined;
	/** Whether to renew again once the current renewal has ended. */
	#isAgain = false;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(options: OwnLeaseOptions) {
		this.#options = options;
		this.#current = { nodeId: options.nodeId, generation: 0 };
	}

	/** Takes a new generation, and renews it from now on. Resolves once the first renewal was tried. */
	start(): Promise<void> {
		this.#isRunning = true;
		this.#takeNew(performance.now());
		return this.renew();
	}

	/** Ends renewing. Resolves once no renewal is on its way. */
	async stop(): Promise<void> {
		this.#isRunning = false;
		clearTimeout(this.#timer);
		await this.#renewing;
	}

	/** Called once the lease was given up, or when it is left to expire. */
	end(): void {
		this.#expiresAt = -Infinity;
		this.#isNew = true;
	}

	/** Returns the lease if it holds. If it has expired, takes a new generation. */
	held(now: number): PresenceLease | undefined {
		if (this.#isNew) return undefined;
		if (!this.#isLate(now)) return this.#current;
		this.#takeNew(now);
		if (this.#isRunning) void this.renew();
		return undefined;
	}

	/** Called when the backend does not know a lease any longer. */
	lost({ generation }: PresenceLease): void {
		if (generation !== this.#current.generation) return;
		const now = performance.now();
		const waitMs = Math.max(0, this.#takenAt + SHORTEST_LEASE_MS - now);
		this.#takeNew(now + waitMs);
		this.#renewIn(waitMs);
	}

	#isLate(now: number): boolean {
		return !this.#isNew && now > this.#expiresAt;
	}

	#takeNew(at: number): void {
		const generation = Math.max(Date.now(), this.#current.generation + 1);
		this.#current = { nodeId: this.#options.nodeId, generation };
		this.#takenAt = at;
		this.#isNew = true;
	}

	/** Renews the lease soon, as something may have happened to it. */
	check(): void {
		this.#renewIn(Math.max(0, this.#sentAt + RETRY_MS - performance.now()));
	}

	/** Renews the lease now, or once the current renewal has ended. */
	renew(): Promise<void> {
		this.#isAgain = this.#renewing !== undefined;
		this.#renewing ??= this.#renew().finally(() => {
			this.#renewing = undefined;
			if (this.#isAgain && this.#isRunning) void this.renew();
		});
		return this.#renewing;
	}

	async #renew(): Promise<void> {
		const { store, outages, onExpired, onTime } = this.#options;
		clearTimeout(this.#timer);
		const sentAt = performance.now();
		this.#sentAt = sentAt;
		if (this.#isLate(sentAt)) this.#takeNew(sentAt);
		const lease = this.#current;
		try {
			const { isKept, now, ...leases } = await answered(store.renew(lease, LEASE_MS, this.#isNew));
			outages.over('lease');
			onTime(now, (sentAt + performance.now()) / 2);
			if (!this.#isRunning) return;
			this.#renewIn(RENEW_MS);
			if (lease !== this.#current) this.#isAgain = true;
			else if (isKept) this.#kept(sentAt);
			else this.lost(lease);
			if (leases.expired.length > 0) onExpired(leases, sentAt);
		} catch (thrown) {
			outages.failed('lease', thrown);
			this.#renewIn(RETRY_MS);
		}
	}

	#kept(sentAt: number): void {
		this.#expiresAt = sentAt + LEASE_MS;
		if (!this.#isNew) return;
		this.#isNew = false;
		this.#options.onHeld();
	}

	#renewIn(ms: number): void {
		clearTimeout(this.#timer);
		if (this.#isRunning) this.#timer = setTimeout(() => void this.renew(), ms).unref();
	}
}
