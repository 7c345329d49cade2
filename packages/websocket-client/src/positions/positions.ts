import { isPosition, type Position } from '@orijs/websocket/protocol';
import { watchPageEnd } from '../connection/page-events.ts';
import type { Failures } from '../failures.ts';
import { mustBe } from '../options.ts';
import type { GivenPositions, PositionStorage } from './position-storage.ts';

/** The number of topics of an endpoint whose positions are stored. */
const MAX_TOPICS = 1_000;
/** What a storage has, besides `getItem` and `length`. */
const METHODS = ['setItem', 'removeItem', 'key'] as const;

/** A topic, and the position up to which its messages have been delivered, if it has history. */
interface Reached {
	readonly name: string;
	readonly position?: Position | undefined;
	/** Those that have received everything up to the position, except what they hold. */
	readonly handles: readonly { readonly held: unknown }[];
}

/**
 * The positions from which topics resume: those of an earlier client, or those in a storage. Clients in several tabs
 * use a storage at the same time, so each topic has a key of its own: no client overwrites the position of a topic that
 * it does not have. Never throws when it is used: the first failure of the storage is reported.
 */
export class Positions {
	/** The positions of the earlier client, without those of topics that the server has confirmed since. */
	readonly unused: Map<string, Position> = new Map();
	readonly #storage: PositionStorage | undefined;
	/** What the keys of this endpoint begin with. Neither URLs nor topics contain spaces. */
	readonly #prefix: string;
	readonly #failures: Failures;
	/** The positions that have not been written yet, by topic. */
	readonly #unwritten = new Map<string, Position>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#watch: AbortController | undefined;
	#hasFailed?: boolean;

	/**
	 * @param url the endpoint. Its query is ignored, because it may contain a secret, or differ each time
	 * @throws {InvalidClientOptionError} a given position is invalid
	 */
	constructor(given: GivenPositions, url: string, failures: Failures) {
		this.#prefix = `orijs ${url.split('?')[0]} `;
		this.#failures = failures;
		if (typeof given.getItem === 'function') {
			const storage = (this.#storage = given as PositionStorage);
			const hasAll = METHODS.every((name) => typeof storage[name] === 'function');
			mustBe(hasAll, 'positions', `a storage with getItem, ${METHODS.join(', ')} and length`, given);
		} else {
			for (const [topic, position] of Object.entries(given)) {
				this.unused.set(topic, mustBePosition(topic, position));
			}
		}
	}

	/** Returns the position from which to resume a topic. */
	of(topic: string): Position | undefined {
		return this.unused.get(topic) ?? this.#unwritten.get(topic) ?? this.#read(topic);
	}

	/**
	 * Called when everything up to a topic's position has been delivered, or reported as missing. The position is
	 * written soon, or when the page may be about to end.
	 */
	reached({ name, position, handles }: Reached): void {
		if (!this.#storage || !position || handles.some((handle) => handle.held)) return;
		this.#unwritten.set(name, position);
		if (this.#timer) return;
		/** How long a position may wait until it is written, in milliseconds. */
		const WRITE_AFTER_MS = 1_000;
		this.#timer = setTimeout(this.write, WRITE_AFTER_MS);
		this.#watch = new AbortController();
		watchPageEnd(this.write, this.#watch.signal);
	}

	/** Writes the positions that have not been written yet. */
	readonly write = (): void => {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#watch?.abort();
		this.#attempt((storage) => {
			let isNew;
			for (const [topic, position] of this.#unwritten) {
				const stored = this.#read(topic);
				isNew ||= !stored;

				// Another tab is ahead. If the epochs differ, the position that was reached last is kept.
				if (stored?.epoch === position.epoch && stored.offset > position.offset) continue;
				storage.setItem(this.#prefix + topic, JSON.stringify([Date.now(), position]));
			}
			if (isNew) this.#removeOldest(storage);
		});
		this.#unwritten.clear();
	};

	#removeOldest(storage: PositionStorage): void {
		const found: [value: string, key: string][] = [];
		for (let i = 0; i < storage.length; i++) {
			const key = storage.key(i);
			if (key?.startsWith(this.#prefix)) found.push([storage.getItem(key) as string, key]);
		}
		// Values begin with the time at which they were written.
		// oxlint-disable-next-line unicorn/no-array-sort, typescript/require-array-sort-compare -- as strings
		for (const [, key] of found.sort().slice(0, -MAX_TOPICS)) storage.removeItem(key);
	}

	#read(topic: string): Position | undefined {
		/** For how long a stored position is used, in milliseconds. Few histories keep messages for longer. */
		const USED_FOR_MS = 7 * 24 * 3_600_000;
		return this.#attempt((storage) => {
			// A topic that is not stored counts as too old.
			const [at, position] = JSON.parse(storage.getItem(this.#prefix + topic) ?? '[0]') as [number, unknown];
			return at + USED_FOR_MS < Date.now() ? undefined : mustBePosition(topic, position);
		});
	}

	#attempt<T>(action: (storage: PositionStorage) => T): T | undefined {
		try {
			return this.#storage && action(this.#storage);
		} catch (thrown) {
			if (!this.#hasFailed) this.#failures.report(thrown, 'storage');
			this.#hasFailed = true;
		}
		return undefined;
	}
}

function mustBePosition(topic: string, position: unknown): Position {
	mustBe(isPosition(position), `positions.${topic}`, '{ epoch, offset }', position);
	return position as Position;
}
