import { MAX_NOTES, type Note } from './messages.ts';

/** The notes, in memory: they are lost when the server stops. */
export class Board {
	readonly #notes = new Map<string, Note>();

	/** Oldest first. */
	get notes(): Note[] {
		return [...this.#notes.values()];
	}

	find(id: string): Note | undefined {
		return this.#notes.get(id);
	}

	/** Drops the oldest note when there are too many; clients do the same. */
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
