import type { PresenceLease } from './presence-store.ts';

/** The keys of one generation's records, by topic. */
type KeysByTopic = Map<string, Set<string>>;

/** Knows where each node has records, by generation, so that a sweep looks at nothing else. */
export class RecordIndex {
	readonly #nodes = new Map<string, Map<number, KeysByTopic>>();

	add({ nodeId, generation }: PresenceLease, topic: string, key: string): void {
		const generations = entryOf(this.#nodes, nodeId, newMap<number, KeysByTopic>);
		const topics = entryOf(generations, generation, newMap<string, Set<string>>);
		entryOf(topics, topic, () => new Set<string>()).add(key);
	}

	remove({ nodeId, generation }: PresenceLease, topic: string, key: string): void {
		const generations = this.#nodes.get(nodeId);
		const topics = generations?.get(generation);
		const keys = topics?.get(topic);
		if (keys?.delete(key) !== true || keys.size > 0) return;
		topics?.delete(topic);
		if (topics?.size !== 0) return;
		generations?.delete(generation);
		if (generations?.size === 0) this.#nodes.delete(nodeId);
	}

	/**
	 * Returns the keys of a node's records up to a generation, in at most `limit` topics. The next call goes on with
	 * other topics, as long as there are any.
	 */
	take(lease: PresenceLease, limit: number): { readonly topic: string; readonly keys: readonly string[] }[] {
		const taken: { readonly topic: string; readonly keys: readonly string[] }[] = [];
		for (const topics of this.#upTo(lease)) {
			const next = [...topics].slice(0, limit - taken.length);
			for (const [topic, keys] of next) {
				taken.push({ topic, keys: [...keys] });
				// Moved to the end.
				topics.delete(topic);
				topics.set(topic, keys);
			}
		}
		return taken;
	}

	/** Returns whether a node has no records of this generation, and of earlier ones. */
	isEmpty(lease: PresenceLease): boolean {
		return this.#upTo(lease).length === 0;
	}

	clear(): void {
		this.#nodes.clear();
	}

	#upTo({ nodeId, generation }: PresenceLease): KeysByTopic[] {
		return [...(this.#nodes.get(nodeId) ?? [])].flatMap(([each, topics]) => (each <= generation ? [topics] : []));
	}
}

function newMap<K, V>(): Map<K, V> {
	return new Map();
}

/** Returns the value of a key, which is created if it is missing. */
function entryOf<K, V>(map: Map<K, V>, key: K, create: () => V): V {
	let value = map.get(key);
	if (value === undefined) map.set(key, (value = create()));
	return value;
}
