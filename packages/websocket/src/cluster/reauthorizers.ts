import type { WebSocketConnection } from '../sockets/websocket-connection.ts';
import type { ActionAnswer } from './ask.ts';
import type { Reauthorizer } from './cluster-contract.ts';

/** Those who decide in which topics clients may be. */
export class Reauthorizers {
	readonly #all = new Set<{ readonly ask: Reauthorizer }>();
	readonly #onError: (thrown: unknown) => void;

	/** @param onError called when one throws or rejects */
	constructor(onError: (thrown: unknown) => void) {
		this.#onError = onError;
	}

	/** Returns a function that removes it. */
	add(ask: Reauthorizer): () => void {
		const entry = { ask };
		this.#all.add(entry);
		return () => void this.#all.delete(entry);
	}

	/** Rejects if one of them has failed, because what it has done is then unknown. */
	async ask(sockets: readonly WebSocketConnection[], topic: string | undefined): Promise<ActionAnswer> {
		const asking = Array.from(this.#all, async (each) => each.ask(sockets, topic));
		try {
			const done = await Promise.all(asking);
			return {
				sockets: sockets.length,
				asked: done.reduce((sum, { asked }) => sum + asked, 0),
				left: done.reduce((sum, { left }) => sum + left, 0),
			};
		} catch (thrown) {
			this.#onError(thrown);
			throw thrown;
		}
	}
}
