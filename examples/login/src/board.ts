import { MAX_NOTES, type Note } from './messages.ts';

/** Keeps the notes in memory, so they are lost when the server stops. */
export class Board {
	readonly #notes = new Map<string, Note>();

	/** All notes, oldest first. */
	get notes(): Note[] {
		return [...this.#notes.values()];
	}

	find(id: string): Note | undefined {
		return this.#notes.get(id);
	}

	/** Adds a note. If there are too many, drops the oldest one; clients do the same. */
	post(author: string, text: string): Note {
		const note: Note = { id: crypto.randomUUID(), author, text, at: Date.now() };
		this.#notes.set(note.id, note);
		for (const id of this.#notes.keys()) {
			if (this.#notes.size <= MAX_NOTES) break;
			this.#notes.delete(id);
		}
		return note;
	}

	remove(id: string): void {
		this.#notes.delete(id);
	}
}
