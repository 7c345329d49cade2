/** A socket's attempt to catch up on a topic. */
export interface CatchUpAttempt {
	/** Whether the attempt has been neither cancelled nor replaced by a later one. */
	readonly isCurrent: boolean;
	/** Why the attempt was cancelled, if that is a failure. */
	readonly error: Error | undefined;
	/** Must be called when the attempt is over. */
	end(): void;
}

/** Tracks the sockets that are catching up on topics. Of a socket's attempts on a topic, only the latest counts. */
export class CatchUpAttempts {
	/** By socket id, then by topic. */
	readonly #current = new Map<string, Map<string, Attempt>>();

	begin(socketId: string, topic: string): CatchUpAttempt {
		let ofSocket = this.#current.get(socketId);
		if (ofSocket === undefined) this.#current.set(socketId, (ofSocket = new Map()));
		const attempt = new Attempt((own) => {
			if (this.#current.get(socketId)?.get(topic) === own) this.cancel(socketId, topic);
		});
		ofSocket.get(topic)?.leave();
		ofSocket.set(topic, attempt);
		return attempt;
	}

	isCatchingUp(socketId: string, topic: string): boolean {
		return this.#current.get(socketId)?.has(topic) === true;
	}

	/** Resolves when the current attempt is over, cancelled or replaced. Undefined without an attempt. */
	whenOver(socketId: string, topic: string): Promise<void> | undefined {
		return this.#current.get(socketId)?.get(topic)?.whenOver();
	}

	/** @param error set if it is cancelled because of a failure */
	cancel(socketId: string, topic: string, error?: Error): void {
		const ofSocket = this.#current.get(socketId);
		const attempt = ofSocket?.get(topic);
		if (ofSocket === undefined || attempt === undefined) return;
		ofSocket.delete(topic);
		if (ofSocket.size === 0) this.#current.delete(socketId);
		attempt.leave(error);
	}
}

class Attempt implements CatchUpAttempt {
	readonly #end: (attempt: Attempt) => void;
	isCurrent = true;
	error: Error | undefined;
	#over: PromiseWithResolvers<void> | undefined;

	/** @param end ends the attempt if it is current */
	constructor(end: (attempt: Attempt) => void) {
		this.#end = end;
	}

	end(): void {
		this.#end(this);
	}

	/** Called when the attempt no longer counts. */
	leave(error?: Error): void {
		this.isCurrent = false;
		this.error = error;
		this.#over?.resolve();
	}

	whenOver(): Promise<void> {
		return (this.#over ??= Promise.withResolvers()).promise;
	}
}
