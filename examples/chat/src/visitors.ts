import type { Person } from './messages.ts';

/** Who has which connection to this node. */
export class Visitors {
	readonly #people = new Map<string, Person>();

	/** Returns the names of those who have these connections. */
	names(socketIds: readonly string[]): Record<string, string> {
		return Object.fromEntries(
			socketIds.flatMap((id) => {
				const person = this.#people.get(id);
				return person === undefined ? [] : [[id, person.name]];
			}),
		);
	}

	come(socketId: string, person: Person): void {
		this.#people.set(socketId, person);
	}

	go(socketId: string): void {
		this.#people.delete(socketId);
	}
}
