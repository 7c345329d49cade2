import { LIST_LIVES_MS, type NodeList, type Person } from '../messages.ts';

/** A person and the node they are connected to. */
export interface PersonOnNode extends Person {
	readonly node: string;
}

/**
 * The people in a room, combined from the lists that the nodes send of their own people. A list that is not repeated in
 * time is dropped.
 */
export class PeopleByNode {
	readonly #lists = new Map<string, NodeList & { readonly heardAt: number }>();

	/** Stores a node's list. @param now the current time in milliseconds, by any clock */
	hear(list: NodeList, now: number): void {
		this.#lists.set(list.node.id, { ...list, heardAt: now });
	}

	/** Drops expired lists. Returns whether any list was dropped. */
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

	/** All people, sorted by name. */
	get people(): PersonOnNode[] {
		return [...this.#lists.values()]
			.flatMap(({ node, people }) => people.map((person) => ({ ...person, node: node.name })))
			.toSorted((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
	}
}
