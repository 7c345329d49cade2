import type { Person } from './messages.ts';

/** Tracks which of this node's people are in which room. A person is in one room at a time. */
export class Here {
	readonly #rooms = new Map<string, Set<Person>>();

	/** The rooms that have people in them. */
	get rooms(): string[] {
		return [...this.#rooms.keys()];
	}

	people(room: string): Person[] {
		return [...(this.#rooms.get(room) ?? [])].map(({ id, name }) => ({ id, name }));
	}

	roomOf(person: Person): string | undefined {
		return this.rooms.find((room) => this.#rooms.get(room)?.has(person));
	}

	enter(person: Person, room: string): void {
		const people = this.#rooms.get(room) ?? new Set();
		this.#rooms.set(room, people.add(person));
	}

	/** Removes a person from their room. Returns that room, if any. */
	leave(person: Person): string | undefined {
		const room = this.roomOf(person);
		if (room === undefined) return undefined;
		const people = this.#rooms.get(room);
		people?.delete(person);
		if (people?.size === 0) this.#rooms.delete(room);
		return room;
	}
}
