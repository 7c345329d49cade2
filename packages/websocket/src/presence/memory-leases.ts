import { CLAIMED_MS, type PresenceLease, RELEASED_QUIET_MS, type Renewal } from './presence-store.ts';

/** The most leases that one renewal hands out. */
const MAX_HANDED_OUT = 10;

interface KnownLease {
	readonly lease: PresenceLease;
	/** In milliseconds since the epoch, like all times here. */
	until: number;
	isReleased: boolean;
	/** Until when it is one node's to sweep; undefined if it has never been handed out. */
	claimedUntil: number | undefined;
}

/** Which leases nodes have, and which have ended and are to be swept. */
export class MemoryLeases {
	readonly #known = new Map<string, KnownLease>();
	/** The latest swept generation of each node. */
	readonly #swept = new Map<string, number>();
	/** When a lease was last renewed; undefined if none was. */
	#renewedAt: number | undefined;
	/** The latest time at which a lease was renewed or released. If it is in the future, the clock was set back. */
	#seenAt = -Infinity;
	/** No lease is handed out before this time, unless it was released. */
	#quietUntil = 0;
	/** No lease is handed out before this time. */
	#releasedQuietUntil = 0;

	/** Returns whether a node may put records with a lease. */
	isValid(lease: PresenceLease): boolean {
		return this.#known.has(idOf(lease)) && lease.generation > (this.#swept.get(lease.nodeId) ?? -Infinity);
	}

	renew(lease: PresenceLease, leaseMs: number, isNew: boolean, now: number): Renewal {
		this.#watchClock(leaseMs, now);
		const isKept = this.#renewOne(lease, leaseMs, isNew, now);
		const handedOut = this.#handOut(now);
		return {
			isKept,
			expired: handedOut.map((known) => known.lease),
			released: handedOut.filter((known) => known.isReleased).map((known) => known.lease),
			now,
		};
	}

	release(lease: PresenceLease, afterMs: number, now: number): void {
		const known = this.#known.get(idOf(lease));
		if (known === undefined || known.claimedUntil !== undefined) return;
		known.isReleased = true;
		known.until = now + afterMs;
		this.#seenAt = Math.max(this.#seenAt, now);
	}

	/**
	 * Begins a sweep, after which nothing can be put with the lease. Returns whether to remove all records, or only
	 * those that have lingered for their time; undefined if the lease is not one to be swept.
	 */
	beginSweep(lease: PresenceLease, now: number): 'all' | 'due' | undefined {
		const known = this.#known.get(idOf(lease));
		if (known?.claimedUntil === undefined) return undefined;
		this.#swept.set(lease.nodeId, Math.max(lease.generation, this.#swept.get(lease.nodeId) ?? -Infinity));
		return known.isReleased && now < known.until ? 'due' : 'all';
	}

	/** Forgets a lease that has been swept. */
	forget(lease: PresenceLease): void {
		this.#known.delete(idOf(lease));
	}

	clear(): void {
		this.#known.clear();
		this.#swept.clear();
		this.#renewedAt = undefined;
		this.#seenAt = -Infinity;
	}

	/**
	 * While no lease was renewed, the backend may have been away, and leases have expired without their nodes' fault.
	 */
	#watchClock(leaseMs: number, now: number): void {
		const before = this.#renewedAt;
		const isSetBack = now < this.#seenAt;
		this.#renewedAt = now;
		this.#seenAt = now;
		if (before !== undefined && !isSetBack && now - before <= leaseMs / 2) return;
		this.#quietUntil = now + leaseMs;
		this.#releasedQuietUntil = now + Math.min(leaseMs, RELEASED_QUIET_MS);
		if (!isSetBack) return;
		for (const known of this.#known.values()) {
			known.until = Math.min(known.until, now + leaseMs);
			if (known.claimedUntil !== undefined) known.claimedUntil = Math.min(known.claimedUntil, now + CLAIMED_MS);
		}
	}

	#renewOne(lease: PresenceLease, leaseMs: number, isNew: boolean, now: number): boolean {
		const known = this.#known.get(idOf(lease));
		if (known !== undefined) {
			if (known.isReleased || known.claimedUntil !== undefined) return false;
			known.until = now + leaseMs;
			return true;
		}
		if (!isNew || lease.generation <= (this.#swept.get(lease.nodeId) ?? -Infinity)) return false;
		for (const [id, other] of this.#known) {
			if (other.lease.nodeId !== lease.nodeId) continue;
			if (other.lease.generation > lease.generation) return false;
			// The records of an earlier generation are now this one's to look after, unless they are being swept.
			if (!other.isReleased && other.claimedUntil === undefined) this.#known.delete(id);
		}
		const own = { nodeId: lease.nodeId, generation: lease.generation };
		this.#known.set(idOf(lease), { lease: own, until: now + leaseMs, isReleased: false, claimedUntil: undefined });
		return true;
	}

	#handOut(now: number): KnownLease[] {
		const handedOut: KnownLease[] = [];
		for (const known of this.#known.values()) {
			if (handedOut.length === MAX_HANDED_OUT) break;
			if (now < (known.isReleased ? this.#releasedQuietUntil : this.#quietUntil)) continue;
			if (!known.isReleased && now < known.until) continue;
			if (known.claimedUntil !== undefined && now < known.claimedUntil) continue;
			known.claimedUntil = now + CLAIMED_MS;
			handedOut.push(known);
		}
		return handedOut;
	}
}

function idOf({ nodeId, generation }: PresenceLease): string {
	return `${nodeId}:${generation}`;
}
