import type { AllLimits } from '../limits.ts';
import type { Session } from '../session/session.ts';

/** The maximum size of what fills an answer, in bytes. */
const MAX_BYTES = 256 * 1024;

/**
 * An answer is made only when no more than this part of `limits.queuedBytes` waits to be sent to the client, and is at
 * most as large. It therefore does not make a client a slow reader that was not one already.
 */
const PART_OF_QUEUE = 1 / 4;

/** The first and the longest delay between checks whether a client has read what was sent, in milliseconds. */
const FIRST_CHECK_MS = 2;
const LONGEST_CHECK_MS = 50;

/** Makes the answers of each client that may be large: one at a time, when the client has read what was sent before. */
export class LargeAnswers {
	readonly #limits: Pick<AllLimits, 'queuedBytes' | 'handlerTimeoutMs'>;
	/** What one answer may hold, in bytes. */
	readonly bytes: number;
	/** Resolves when the session's latest answer has been made. Has only sessions with such answers. */
	readonly #latest = new WeakMap<Session, Promise<void>>();

	constructor(limits: Pick<AllLimits, 'queuedBytes' | 'handlerTimeoutMs'>) {
		this.#limits = limits;
		this.bytes = Math.min(MAX_BYTES, limits.queuedBytes * PART_OF_QUEUE);
	}

	/**
	 * Calls `answer` after the earlier answers of the client; with false if it has not read enough within
	 * `limits.handlerTimeoutMs`, and nothing large must be sent.
	 *
	 * @param answer must not reject
	 */
	add(session: Session, answer: (hasRoom: boolean) => Promise<void> | void): void {
		session.pendingAnswers++;
		const earlier = this.#latest.get(session);
		const answered = this.#answerAfter(earlier, session, answer).finally(() => {
			session.pendingAnswers--;
			if (this.#latest.get(session) === answered) this.#latest.delete(session);
		});
		this.#latest.set(session, answered);
	}

	async #answerAfter(
		earlier: Promise<void> | undefined,
		session: Session,
		answer: (hasRoom: boolean) => Promise<void> | void,
	): Promise<void> {
		const deadline = performance.now() + this.#limits.handlerTimeoutMs;
		await earlier;
		await answer(await this.#hasRoom(session, deadline));
	}

	/** Resolves when an answer can be sent to the client, or it has left; with false if not before the deadline. */
	async #hasRoom(session: Session, deadline: number): Promise<boolean> {
		const { queuedBytes } = this.#limits;
		const isFull = (): boolean =>
			session.state !== 'closed' && session.ws.getBufferedAmount() > queuedBytes * PART_OF_QUEUE;
		for (let ms = FIRST_CHECK_MS; isFull(); ms = Math.min(LONGEST_CHECK_MS, ms * 2)) {
			if (performance.now() > deadline) return false;
			await new Promise((resolve) => setTimeout(resolve, ms));
		}
		return true;
	}
}
