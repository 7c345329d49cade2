import type { Peer } from './peer.ts';

/** Holds what is known about the other nodes, by origin and shard. */
export class Peers {
	readonly #peers = new Map<number, (Peer | undefined)[]>();

	get(origin: number, shard: number): Peer | undefined {
		return this.#peers.get(origin)?.[shard];
	}

	/** Returns what is known about a node on each shard; undefined if nothing is. */
	ofNode(origin: number): readonly (Peer | undefined)[] | undefined {
		return this.#peers.get(origin);
	}

	set(origin: number, shard: number, peer: Peer): void {
		let shards = this.#peers.get(origin);
		if (shards === undefined) this.#peers.set(origin, (shards = []));
		shards[shard] = peer;
	}

	delete(origin: number, shard: number): void {
		const shards = this.#peers.get(origin);
		if (shards === undefined) return;
		shards[shard] = undefined;
		if (shards.every((peer) => peer === undefined)) this.#peers.delete(origin);
	}

	/** Yields the nodes that are known on any shard, with what is known about each of them. */
	nodes(): MapIterator<readonly (Peer | undefined)[]> {
		return this.#peers.values();
	}

	/** Yields what is known on one shard, by origin. */
	*onShard(shard: number): Generator<readonly [origin: number, peer: Peer]> {
		for (const [origin, shards] of this.#peers) {
			const peer = shards[shard];
			if (peer !== undefined) yield [origin, peer];
		}
	}

	/** Yields everything that is known. */
	*all(): Generator<readonly [origin: number, shard: number, peer: Peer]> {
		for (const [origin, shards] of this.#peers) {
			for (const [shard, peer] of shards.entries()) if (peer !== undefined) yield [origin, shard, peer];
		}
	}
}
