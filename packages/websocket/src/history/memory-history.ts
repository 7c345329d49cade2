import { DONE } from '../support/promises.ts';
import { BegunTopics } from './begun-topics.ts';
import {
	type HistoryBounds,
	type HistoryContent,
	type HistoryQuery,
	type HistorySlice,
	type HistoryStore,
	rememberedMs,
} from './history-store.ts';
import { MemoryTopic } from './memory-topic.ts';

const SWEEP_MS = 1_000;
/** In one process, no one asks where a message was put. */
const NO_POSITION: Promise<undefined> = Promise.resolve(undefined);

/**
 * Each sweep covers this fraction of the topics, but at least `LEAST_TOPICS`. So sweeps are short, and every topic is
 * covered within half a minute.
 */
const PART_OF_TOPICS = 1 / 30;
const LEAST_TOPICS = 256;

/** Stores topics in the memory of this process. */
export class MemoryHistory implements HistoryStore {
	readonly #appended: (topic: string, slice: HistorySlice) => void;
	/** The topics that have had a message and have not been forgotten. */
	readonly #topics = new Map<string, MemoryTopic>();
	/** Counts begun topics, by how long they are remembered, in milliseconds. */
	readonly #begun = new Map<number, BegunTopics>();
	/** Where the next sweep continues. */
	#round: MapIterator<[string, MemoryTopic]> | undefined;
	#timer: ReturnType<typeof setInterval> | undefined;

	/**
	 * @param appended called before `append` returns; must not change the bytes in the slice, which are the stored ones
	 */
	constructor(appended: (topic: string, slice: HistorySlice) => void) {
		this.#appended = appended;
	}

	prepare(): Promise<void> {
		return DONE;
	}

	append(
		topic: string,
		messages: readonly HistoryContent[],
		bounds: HistoryBounds,
		idempotencyKey?: string,
	): Promise<undefined> {
		const now = Date.now();
		const stored = this.#find(topic) ?? this.#begin(topic, bounds);
		if (idempotencyKey !== undefined && !stored.addKey(idempotencyKey, now)) return NO_POSITION;
		this.#appended(topic, stored.append(messages, bounds, now));
		return NO_POSITION;
	}

	/** Reads a slice, in which bytes are copies of the stored ones. */
	read(topic: string, query: HistoryQuery, bounds: HistoryBounds): Promise<HistorySlice> {
		return Promise.resolve(this.readNow(topic, query, bounds));
	}

	/** Like {@link read}, but at once. */
	readNow(topic: string, query: HistoryQuery, bounds: HistoryBounds): HistorySlice {
		const { epoch, beginning } = this.#begunOf(bounds);
		const slice = this.#find(topic)?.read(query, bounds, Date.now());
		return slice ?? { epoch, beginning, last: 0, entries: [] };
	}

	/** Returns how many topics and messages are in memory, in time proportional to the number of topics. */
	size(): { readonly topics: number; readonly messages: number } {
		let messages = 0;
		for (const topic of this.#topics.values()) messages += topic.kept.count;
		return { topics: this.#topics.size, messages };
	}

	/**
	 * Stops the timer that removes expired messages and topics, until the next `append` or `read`. Keeps all messages.
	 */
	close(): void {
		clearInterval(this.#timer);
		this.#timer = undefined;
	}

	#find(name: string): MemoryTopic | undefined {
		const topic = this.#topics.get(name);
		if (topic !== undefined) this.#startSweeping();
		return topic;
	}

	#begin(name: string, bounds: HistoryBounds): MemoryTopic {
		const topic = new MemoryTopic(bounds, this.#begunOf(bounds));
		this.#topics.set(name, topic);
		this.#startSweeping();
		return topic;
	}

	#begunOf(bounds: HistoryBounds): BegunTopics {
		const ms = rememberedMs(bounds);
		let begun = this.#begun.get(ms);
		if (begun === undefined) this.#begun.set(ms, (begun = new BegunTopics()));
		return begun;
	}

	#startSweeping(): void {
		this.#timer ??= setInterval(() => this.#sweep(), SWEEP_MS).unref();
	}

	#sweep(): void {
		const now = Date.now();
		this.#round ??= this.#topics.entries();
		for (let left = Math.max(LEAST_TOPICS, this.#topics.size * PART_OF_TOPICS); left > 0; left--) {
			const next = this.#round.next();
			if (next.done === true) {
				this.#round = undefined;
				break;
			}
			const [name, topic] = next.value;
			if (topic.expire(now)) this.#topics.delete(name);
		}
		if (this.#topics.size === 0) this.close();
	}
}
