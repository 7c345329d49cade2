import type { Person } from './messages.ts';

/** Tracks which of this node's people are in which room. */
export class Here {
	readonly #rooms = new Map<string, Set<Person>>();

	/** The rooms that have people in them. */
	get rooms(): string[] {
		return [...this.#rooms.keys()];
	}

	people(room: string): Person[] {
		return [...(this.#rooms.get(room) ?? [])].map(({ id, name }) => ({ id, name }));
	}

	enter(person: Person, room: string): void {
		const people = this.#rooms.get(room) ?? new Set();
		this.#rooms.set(room, people.add(person));
	}

	leave(person: Person, room: string): void {
		const people = this.#rooms.get(room);
		people?.delete(person);
		if (people?.size === 0) this.#rooms.delete(room);
	}
}
