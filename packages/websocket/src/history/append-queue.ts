import { BusUnavailableError } from '../errors.ts';
import { quiet, settledWithin, toError } from '../support/promises.ts';
import type { HistoryBounds, HistoryContent, HistoryStore } from './history-store.ts';

/** An append that has so many UTF-16 units or bytes, or messages, takes no more. */
const FULL_APPEND = 256 * 1024;
const MOST_MESSAGES = 1_000;
/** How often failures are told at most, in milliseconds. */
const TELL_EVERY_MS = 1_000;

/** Messages of one topic that are appended together. */
interface Append {
	readonly contents: HistoryContent[];
	size: number;
	readonly bounds: HistoryBounds;
	readonly idempotencyKey: string | undefined;
	readonly promise: Promise<void>;
	readonly resolve: () => void;
	readonly reject: (error: Error) => void;
}

/**
 * Messages on their way to a store that other nodes share. Each topic has one append under way: what is published meanwhile waits and goes
 * together, so that messages keep their order whatever becomes of an append, and a busy topic makes large ones.
 */
export class AppendQueue {
	readonly #store: HistoryStore;
	readonly #onError: (error: Error) => void;
	#toldAt = -Infinity;
	/** What waits, by topic; a topic with an append under way and nothing that waits has an empty list. */
	readonly #waiting = new Map<string, Append[]>();
	readonly #underWay = new Set<Append>();

	/** @param onError hears of what was not stored, now and then, as nobody has to await it */
	constructor(store: HistoryStore, onError: (error: Error) => void) {
		this.#store = store;
		this.#onError = onError;
	}

	/** Resolves when the message is stored. Nobody has to await it. */
	add(topic: string, bounds: HistoryBounds, content: HistoryContent, idempotencyKey?: string): Promise<void> {
		let line = this.#waiting.get(topic);
		if (line === undefined) {
			line = [];
			this.#waiting.set(topic, line);
			queueMicrotask(() => this.#next(topic));
		}
		let last = line.at(-1);
		if (last === undefined || idempotencyKey !== undefined || isFull(last)) {
			const { promise, resolve, reject } = Promise.withResolvers<void>();
			last = { contents: [], size: 0, bounds, idempotencyKey, promise: quiet(promise), resolve, reject };
			line.push(last);
		}
		last.contents.push(content);
		last.size += content.length;
		return last.promise;
	}

	/** Resolves when all is answered; what has no answer when the time is over rejects with `late`. */
	async drain(timeoutMs: number, late: Error): Promise<void> {
		const all = [...this.#underWay, ...[...this.#waiting.values()].flat()];
		if (all.length === 0) return;
		await settledWithin(timeoutMs, Promise.allSettled(all.map(({ promise }) => promise)));
		for (const { reject } of [...this.#underWay, ...[...this.#waiting.values()].flat()]) reject(late);
		this.#waiting.clear();
	}

	#next(topic: string): void {
		const line = this.#waiting.get(topic);
		const append = line?.shift();
		if (append === undefined) {
			this.#waiting.delete(topic);
			return;
		}
		this.#underWay.add(append);
		this.#send(topic, append)
			.then(append.resolve, (thrown: unknown) => {
				const error = new BusUnavailableError(topic, { cause: toError(thrown), hasHistory: true });
				append.reject(error);
				this.#tell(error);
			})
			.finally(() => {
				this.#underWay.delete(append);
				this.#next(topic);
			});
	}

	#tell(error: Error): void {
		const now = performance.now();
		if (now - this.#toldAt < TELL_EVERY_MS) return;
		this.#toldAt = now;
		this.#onError(error);
	}

	/** A store may throw where it should reject; that must not hold up the topic. */
	async #send(topic: string, { contents, bounds, idempotencyKey }: Append): Promise<void> {
		await this.#store.append(topic, contents, bounds, idempotencyKey);
	}
}

function isFull({ contents, size, idempotencyKey }: Append): boolean {
	return idempotencyKey !== undefined || size >= FULL_APPEND || contents.length >= MOST_MESSAGES;
}
