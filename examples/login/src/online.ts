/** Who is online: everybody with a socket, however many they have. */
export class Online {
	readonly #sockets = new Map<string, number>();

	get names(): string[] {
		return [...this.#sockets.keys()].toSorted();
	}

	/** Returns whether the user was not online before. */
	enter(name: string): boolean {
		const sockets = this.#sockets.get(name) ?? 0;
		this.#sockets.set(name, sockets + 1);
		return sockets === 0;
	}

	/** Returns whether the user is not online any more. */
	leave(name: string): boolean {
		const left = (this.#sockets.get(name) ?? 1) - 1;
		if (left > 0) this.#sockets.set(name, left);
		else this.#sockets.delete(name);
		return left === 0;
	}
}
