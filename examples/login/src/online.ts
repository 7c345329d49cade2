/** Tracks who is online: every user with at least one socket. */
export class Online {
	readonly #sockets = new Map<string, number>();

	get names(): string[] {
		return [...this.#sockets.keys()].toSorted();
	}

	/** Adds a socket of a user. Returns whether it is the user's first one. */
	enter(name: string): boolean {
		const sockets = this.#sockets.get(name) ?? 0;
		this.#sockets.set(name, sockets + 1);
		return sockets === 0;
	}

	/** Removes a closed socket of a user. Returns whether it was the user's last one. */
	leave(name: string): boolean {
		const left = (this.#sockets.get(name) ?? 1) - 1;
		if (left > 0) this.#sockets.set(name, left);
		else this.#sockets.delete(name);
		return left === 0;
	}
}
