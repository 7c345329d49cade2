import type { Person } from './messages.ts';

/** Tracks this node's people, and which of them are in which room. */
export class Here {
	readonly #people = new Map<string, Person>();
	readonly #rooms = new Map<string, Set<Person>>();

	/** The rooms that have people in them. */
	get rooms(): string[] {
		return [...this.#rooms.keys()];
	}

	people(room: string): Person[] {
		return [...(this.#rooms.get(room) ?? [])].map(({ id, name }) => ({ id, name }));
	}

	/** Returns the names of those who are on this node, by id. */
	names(ids: readonly string[]): Record<string, string> {
		const people = ids.flatMap((id) => this.#people.get(id) ?? []);
		return Object.fromEntries(people.map(({ id, name }) => [id, name]));
	}

	come(person: Person): void {
		this.#people.set(person.id, person);
	}

	go(person: Person): void {
		this.#people.delete(person.id);
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
