import { BusUnavailableError } from '../errors.ts';
import { quiet, settledWithin, toError } from '../support/promises.ts';
import type { HistoryBounds, HistoryContent, HistoryStore } from './history-store.ts';
import type { StoredAppend } from './recent-appends.ts';

/**
 * An append takes no more messages once its contents have this size: the number of UTF-16 units of text plus the number
 * of bytes.
 */
const FULL_APPEND = 256 * 1024;
/** The maximum number of messages in an append. */
const MAX_MESSAGES = 1_000;

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
 * Queues messages for a store that is shared with other nodes. Each topic has at most one append in flight. Messages
 * that are published in the meantime go into the next append. Messages therefore keep their order even if an append
 * fails, and busy topics make large appends.
 */
export class AppendQueue {
	readonly #store: HistoryStore;
	readonly #onStored: (topic: string, append: StoredAppend) => void;
	readonly #onError: (error: Error) => void;
	/** Pending appends by topic. The list is empty if the topic's only append is already in flight. */
	readonly #pending = new Map<string, Append[]>();
	readonly #inFlight = new Set<Append>();

	/**
	 * @param onStored called for each append that succeeded, before its promise resolves
	 * @param onError called for each append that failed
	 */
	constructor(
		store: HistoryStore,
		onStored: (topic: string, append: StoredAppend) => void,
		onError: (error: Error) => void,
	) {
		this.#store = store;
		this.#onStored = onStored;
		this.#onError = onError;
	}

	/** Queues a message. Resolves when it is stored; the promise may be ignored. */
	add(topic: string, bounds: HistoryBounds, content: HistoryContent, idempotencyKey?: string): Promise<void> {
		let appends = this.#pending.get(topic);
		if (appends === undefined) {
			appends = [];
			this.#pending.set(topic, appends);
			queueMicrotask(() => this.#next(topic));
		}
		let last = appends.at(-1);
		if (last === undefined || idempotencyKey !== undefined || isFull(last)) {
			const { promise, resolve, reject } = Promise.withResolvers<void>();
			last = { contents: [], size: 0, bounds, idempotencyKey, promise: quiet(promise), resolve, reject };
			appends.push(last);
		}
		last.contents.push(content);
		last.size += content.length;
		return last.promise;
	}

	/** Resolves when every append is stored or rejected. Those still pending after the timeout reject with `late`. */
	async drain(timeoutMs: number, late: Error): Promise<void> {
		const all = [...this.#inFlight, ...[...this.#pending.values()].flat()];
		if (all.length === 0) return;
		await settledWithin(timeoutMs, Promise.allSettled(all.map(({ promise }) => promise)));
		for (const { reject } of [...this.#inFlight, ...[...this.#pending.values()].flat()]) reject(late);
		this.#pending.clear();
	}

	#next(topic: string): void {
		const appends = this.#pending.get(topic);
		const append = appends?.shift();
		if (append === undefined) {
			this.#pending.delete(topic);
			return;
		}
		this.#inFlight.add(append);
		this.#send(topic, append)
			.then(append.resolve, (thrown: unknown) => {
				const error = new BusUnavailableError(topic, { cause: toError(thrown), hasHistory: true });
				append.reject(error);
				this.#onError(error);
			})
			.finally(() => {
				this.#inFlight.delete(append);
				this.#next(topic);
			});
	}

	/** Async, so that a store that throws instead of rejecting does not block the topic. */
	async #send(topic: string, { contents, bounds, idempotencyKey }: Append): Promise<void> {
		const sentAt = performance.now();
		const position = await this.#store.append(topic, contents, bounds, idempotencyKey);
		if (position !== undefined) this.#onStored(topic, { position, sentAt });
	}
}

function isFull({ contents, size, idempotencyKey }: Append): boolean {
	return idempotencyKey !== undefined || size >= FULL_APPEND || contents.length >= MAX_MESSAGES;
}
