import { HistoryUnavailableError } from '../errors.ts';
import { sleep, toError, within } from '../support/promises.ts';
import { envelopeTextOf } from './framing.ts';
import { type PageOutcome, type PageQuery, readStored } from './history-page.ts';
import type { HistoryBounds, HistoryStore } from './history-store.ts';

/** A page of a topic's history as JSON. */
export interface EncodedPage extends PageOutcome {
	/** A list of envelopes, oldest first. Bytes are base64. */
	readonly messages: string;
}

export interface SharedPagesOptions {
	readonly store: HistoryStore;
	/** Called when the store could not be read for so long that a page was rejected. */
	readonly onError: (error: Error) => void;
}

/** How many pages are read from the store at a time. Further ones wait. */
const MOST_READS = 8;
/** How long a page may take, including the wait for other pages, in milliseconds. */
const UNREADABLE_AFTER_MS = 2_000;
const RETRY_MS = 250;

/**
 * Reads pages of histories for clients. Clients that request the same page at the same time share one read, and the
 * number of simultaneous reads is bounded, so that clients can't overload the store.
 */
export class SharedPages {
	readonly #options: SharedPagesOptions;
	/** The pages that are being read, by their query. */
	readonly #pending = new Map<string, Promise<EncodedPage>>();
	/** Called, one after the other, when a read ends. */
	readonly #waiting = new Set<() => void>();
	#reads = 0;

	constructor(options: SharedPagesOptions) {
		this.#options = options;
	}

	/**
	 * Returns a page. A failed read is repeated.
	 *
	 * @throws {HistoryUnavailableError} the store could not be read within two seconds
	 */
	read(topic: string, bounds: HistoryBounds, query: PageQuery): Promise<EncodedPage> {
		const key = keyOf(topic, query);
		let page = this.#pending.get(key);
		if (page === undefined) {
			page = this.#read(topic, bounds, query).finally(() => this.#pending.delete(key));
			this.#pending.set(key, page);
		}
		return page;
	}

	async #read(topic: string, bounds: HistoryBounds, query: PageQuery): Promise<EncodedPage> {
		const deadline = performance.now() + UNREADABLE_AFTER_MS;
		for (;;) {
			try {
				await this.#turn(deadline);
				return await this.#readOnce(topic, bounds, query, deadline);
			} catch (thrown) {
				if (performance.now() + RETRY_MS < deadline) {
					await sleep(RETRY_MS);
					continue;
				}
				const cause = toError(thrown);
				this.#options.onError(cause);
				throw new HistoryUnavailableError(topic, { cause });
			}
		}
	}

	/** Must be called after `#turn`, whose turn it ends. A read without an answer ends its turn at the deadline. */
	async #readOnce(topic: string, bounds: HistoryBounds, query: PageQuery, deadline: number): Promise<EncodedPage> {
		try {
			const read = readStored(this.#options.store, topic, bounds, query);
			const { entries, ...outcome } = await within(deadline - performance.now(), read, noAnswer, UNREF);
			let messages = '';
			for (const entry of entries) {
				messages += `${messages === '' ? '[' : ','}${envelopeTextOf(topic, outcome.epoch, entry)}`;
			}
			return { messages: messages === '' ? '[]' : `${messages}]`, ...outcome };
		} finally {
			this.#endTurn();
		}
	}

	/** Resolves when the store may be read. @throws if that is not before the deadline */
	async #turn(deadline: number): Promise<void> {
		if (this.#reads < MOST_READS) {
			this.#reads++;
			return;
		}
		const { promise, resolve } = Promise.withResolvers<void>();
		this.#waiting.add(resolve);
		try {
			await within(deadline - performance.now(), promise, noTurn, UNREF);
		} catch (error) {
			// The turn may have come at the last moment.
			if (!this.#waiting.delete(resolve)) this.#endTurn();
			throw error;
		}
	}

	#endTurn(): void {
		const [next] = this.#waiting;
		if (next === undefined) {
			this.#reads--;
			return;
		}
		this.#waiting.delete(next);
		next();
	}
}

function keyOf(topic: string, { since, before, upTo, limit, bytes }: PageQuery): string {
	const to = since ?? before ?? upTo;
	const kind = since === undefined ? (before === undefined ? 'upTo' : 'before') : 'since';
	return `${topic} ${to === undefined ? '' : `${kind} ${to.epoch} ${to.offset}`} ${limit} ${bytes}`;
}

const UNREF = { unref: true };

function noTurn(): Error {
	return new Error(`${MOST_READS} other pages were being read for ${UNREADABLE_AFTER_MS} ms`);
}

function noAnswer(): Error {
	return new Error(`no answer within ${UNREADABLE_AFTER_MS} ms`);
}
