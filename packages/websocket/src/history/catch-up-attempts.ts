/** A socket's attempt to catch up on a topic. */
export interface CatchUpAttempt {
	/** Whether the attempt has been neither cancelled nor replaced by a later one. */
	readonly isCurrent: boolean;
	/** Must be called when the attempt is over. */
	end(): void;
}

/** Tracks the sockets that are catching up on topics. Of a socket's attempts on a topic, only the latest counts. */
export class CatchUpAttempts {
	/** By socket id, then by topic. */
	readonly #current = new Map<string, Map<string, CatchUpAttempt>>();

	begin(socketId: string, topic: string): CatchUpAttempt {
		const current = this.#current;
		const attempt: CatchUpAttempt = {
			get isCurrent() {
				return current.get(socketId)?.get(topic) === attempt;
			},
			end: () => {
				if (attempt.isCurrent) this.cancel(socketId, topic);
			},
		};
		let ofSocket = current.get(socketId);
		if (ofSocket === undefined) current.set(socketId, (ofSocket = new Map()));
		ofSocket.set(topic, attempt);
		return attempt;
	}

	cancel(socketId: string, topic: string): void {
		const ofSocket = this.#current.get(socketId);
		if (ofSocket?.delete(topic) === true && ofSocket.size === 0) this.#current.delete(socketId);
	}
}
