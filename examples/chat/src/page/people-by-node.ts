import { LIST_LIVES_MS, type NodeList, type Person } from '../messages.ts';

/** A person and the node they are connected to. */
export interface PersonOnNode extends Person {
	readonly node: string;
}

/**
 * Who is in a room, from the lists that each node sends of its own people. A list that is not repeated in time is
 * dropped.
 */
export class PeopleByNode {
	readonly #lists = new Map<string, NodeList & { readonly heardAt: number }>();

	/** @param now milliseconds, of any clock */
	hear(list: NodeList, now: number): void {
		this.#lists.set(list.node.id, { ...list, heardAt: now });
	}

	/** Drops expired lists. Returns whether there were any. */
	expire(now: number): boolean {
		const old = [...this.#lists].filter(([, { heardAt }]) => now - heardAt > LIST_LIVES_MS);
		for (const [id] of old) this.#lists.delete(id);
		return old.length > 0;
	}

	/** Drops the list of a node. */
	forget(nodeId: string): void {
		this.#lists.delete(nodeId);
	}

	clear(): void {
		this.#lists.clear();
	}

	/** Sorted by name. */
	get people(): PersonOnNode[] {
		return [...this.#lists.values()]
			.flatMap(({ node, people }) => people.map((person) => ({ ...person, node: node.name })))
			.toSorted((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
	}
}
