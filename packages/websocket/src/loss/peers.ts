import type { Peer } from './peer.ts';

const NONE: ReadonlyMap<number, Peer> = new Map();

/** Holds what is known about the other nodes, by shard and origin. */
export class Peers {
	readonly #shards: Map<number, Peer>[] = [];

	get(origin: number, shard: number): Peer | undefined {
		return this.#shards[shard]?.get(origin);
	}

	set(origin: number, shard: number, peer: Peer): void {
		while (this.#shards.length <= shard) this.#shards.push(new Map());
		this.#shards[shard]?.set(origin, peer);
	}

	delete(origin: number, shard: number): void {
		this.#shards[shard]?.delete(origin);
	}

	/** Returns what is known on one shard, by origin. */
	onShard(shard: number): ReadonlyMap<number, Peer> {
		return this.#shards[shard] ?? NONE;
	}

	/**
	 * What is known, by shard and origin. With many nodes, all of it is looked at several times per heartbeat, so this is
	 * no generator.
	 */
	get shards(): readonly ReadonlyMap<number, Peer>[] {
		return this.#shards;
	}

	/** Returns whether beats of a node have arrived on any shard. */
	knows(origin: number): boolean {
		for (const peers of this.#shards) if (peers.get(origin)?.isHearsay === false) return true;
		return false;
	}

	/** Returns whether beats of a node arrive on any shard; undefined if nothing is known about it. */
	isAlive(origin: number): boolean | undefined {
		let isKnown = false;
		for (const peers of this.#shards) {
			const peer = peers.get(origin);
			if (peer?.suspicious === false) return true;
			isKnown ||= peer !== undefined;
		}
		return isKnown ? false : undefined;
	}

	/** Returns the number of nodes whose beats arrive on any shard. */
	countAlive(): number {
		const [first = NONE, ...others] = this.#shards;
		let count = 0;
		for (const { suspicious } of first.values()) if (!suspicious) count++;
		if (others.length === 0) return count;
		const alive = new Set<number>();
		for (const peers of this.#shards) for (const [origin, { suspicious }] of peers) if (!suspicious) alive.add(origin);
		return alive.size;
	}

	/** Returns whether a condition holds for any node on any shard. */
	some(condition: (peer: Peer) => boolean): boolean {
		for (const peers of this.#shards) for (const peer of peers.values()) if (condition(peer)) return true;
		return false;
	}
}
