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

	/** What is known, by shard and origin. All of it is looked at several times per heartbeat: no generators. */
	get shards(): readonly ReadonlyMap<number, Peer>[] {
		return this.#shards;
	}

	/** Returns whether a node is known on any shard. */
	has(origin: number): boolean {
		for (const peers of this.#shards) if (peers.has(origin)) return true;
		return false;
	}

	/** Returns whether beats of a node arrive on any shard. */
	isAlive(origin: number): boolean {
		for (const peers of this.#shards) if (peers.get(origin)?.suspicious === false) return true;
		return false;
	}

	/** The number of nodes whose beats arrive on any shard. */
	get aliveCount(): number {
		const [first = NONE, ...others] = this.#shards;
		let count = 0;
		for (const peer of first.values()) if (!peer.suspicious) count++;
		if (others.length === 0) return count;
		const alive = new Set<number>();
		for (const peers of this.#shards) for (const [origin, { suspicious }] of peers) if (!suspicious) alive.add(origin);
		return alive.size;
	}
}
