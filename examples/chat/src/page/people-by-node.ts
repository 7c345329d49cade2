import { LIST_LIVES_MS, type NodeList, type Person } from '../messages.ts';

/** Somebody, and the node they are connected to. */
export interface PersonOnNode extends Person {
	readonly node: string;
}

/** Who is in a room, out of what each node says about its own people; what a node has not said again for long does not count any more. */
export class PeopleByNode {
	readonly #lists = new Map<string, NodeList & { readonly heardAt: number }>();

	/** @param now by any clock, in milliseconds */
	hear(list: NodeList, now: number): void {
		this.#lists.set(list.node.id, { ...list, heardAt: now });
	}

	/** Forgets what is too old. Returns whether there was any. */
	expire(now: number): boolean {
		const old = [...this.#lists].filter(([, { heardAt }]) => now - heardAt > LIST_LIVES_MS);
		for (const [id] of old) this.#lists.delete(id);
		return old.length > 0;
	}

	/** Forgets what a node has said. */
	forget(nodeId: string): void {
		this.#lists.delete(nodeId);
	}

	clear(): void {
		this.#lists.clear();
	}

	/** By name. */
	get people(): PersonOnNode[] {
		return [...this.#lists.values()]
			.flatMap(({ node, people }) => people.map((person) => ({ ...person, node: node.name })))
			.toSorted((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
	}
}
