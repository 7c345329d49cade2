import type { PresenceLease, Sweep, SweepOptions } from '@orijs/websocket';

/** The most topics that are looked at simultaneously. */
const AT_ONCE = 16;
/** About how many topics are listed at a time. */
const LISTED_AT_A_TIME = 64;
/** How long a sweep rests while what is left lingers, in milliseconds, at most. */
const LONGEST_REST_MS = 5_000;
/** For how many leases it is remembered how far their sweep has come. */
const MAX_SWEEPS = 64;

/** A topic in which a lease may have records, with what it is registered with. */
export type ListedTopic = readonly [topic: Buffer, registration: Buffer];

/** What the backend lists of a lease's topics. */
export interface TopicList {
	/** Whether only records that have lingered for their time are to be removed. */
	readonly isDueOnly: boolean;
	/** When they were listed, on the server's clock, like all times here, in milliseconds since the epoch. */
	readonly serverMs: number;
	/** When a released lease ends; 0 if it was not released. */
	readonly endsAt: number;
	/** For the next part; `0` after the last one. */
	readonly cursor: string;
	readonly topics: readonly ListedTopic[];
}

/** What was done in one topic. */
export interface SweptTopic {
	readonly removed: number;
	/** How many records of the lease are left in the topic. */
	readonly left: number;
	/** When the next of those has lingered for its time; 0 if none lingers. */
	readonly soonest: number;
}

/** The steps of a sweep at the backend. */
export interface SweepSteps {
	/** Undefined if the lease is not to be swept, or no longer. */
	list(lease: PresenceLease, cursor: string, limit: number): Promise<TopicList | undefined>;
	sweepTopic(lease: PresenceLease, topic: string, isDueOnly: boolean, options: SweepOptions): Promise<SweptTopic>;
	/** Unregisters topics. @param next see the script that does it */
	settle(lease: PresenceLease, topics: readonly ListedTopic[], next: number): Promise<void>;
}

/** How far the sweep of a lease has come. */
interface Progress {
	cursor: string;
	/** Whether all topics have been listed. */
	isListed: boolean;
	list: TopicList | undefined;
	waiting: ListedTopic[];
	/** How many topics still have records of the lease, or could not be looked at. */
	left: number;
	/** When some of them are due; 0 if that is not known. */
	next: number;
	/** Until when there is nothing to do, by the monotonic clock. */
	restsUntil: number;
}

/** Sweeps leases, a part of their topics at a time. */
export class LeaseSweeps {
	readonly #steps: SweepSteps;
	readonly #sweeps = new Map<string, Progress>();

	constructor(steps: SweepSteps) {
		this.#steps = steps;
	}

	/**
	 * See {@link PresenceStore.sweep}. If some topics can't be swept, because their shard is away, goes on with others
	 * of this call, and then rejects.
	 */
	async sweep(lease: PresenceLease, options: SweepOptions): Promise<Sweep> {
		const id = `${lease.nodeId} ${lease.generation}`;
		const progress = this.#sweeps.get(id) ?? begin();
		this.#sweeps.set(id, progress);
		if (performance.now() < progress.restsUntil) return { isDone: false, removed: 0 };
		if (this.#sweeps.size > MAX_SWEEPS) this.#sweeps.delete(this.#sweeps.keys().next().value ?? id);
		let removed = 0;
		for (let budget = options.topics; ;) {
			if (progress.waiting.length === 0) {
				if (progress.isListed) break;
				if (!(await this.#list(lease, progress))) {
					this.#sweeps.delete(id);
					return { isDone: true, removed };
				}
				continue;
			}
			if (budget <= 0) return { isDone: false, removed };
			const some = progress.waiting.splice(0, Math.min(budget, AT_ONCE));
			budget -= some.length;
			removed += await this.#sweepTopics(lease, some, progress, options);
		}
		await this.#end(id, lease, progress);
		return { isDone: progress.left === 0, removed };
	}

	/** Called when all topics have been looked at. */
	async #end(id: string, lease: PresenceLease, { left, next, list }: Progress): Promise<void> {
		this.#sweeps.delete(id);
		if (left === 0) return this.#steps.settle(lease, [], 1);
		if (next === 0 || next === Infinity || list === undefined) return;
		const restMs = Math.min(next - list.serverMs, LONGEST_REST_MS);
		this.#sweeps.set(id, { ...begin(), restsUntil: performance.now() + restMs });
		await this.#steps.settle(lease, [], next);
	}

	/** Returns whether the lease is to be swept. */
	async #list(lease: PresenceLease, progress: Progress): Promise<boolean> {
		const list = await this.#steps.list(lease, progress.cursor, LISTED_AT_A_TIME);
		if (list === undefined) return false;
		progress.list = list;
		progress.cursor = list.cursor;
		progress.isListed = list.cursor === '0';
		progress.waiting.push(...list.topics);
		return true;
	}

	async #sweepTopics(
		lease: PresenceLease,
		topics: readonly ListedTopic[],
		progress: Progress,
		options: SweepOptions,
	): Promise<number> {
		const { isDueOnly, endsAt } = progress.list as TopicList;
		const outcomes = await Promise.allSettled(
			topics.map(([topic]) => this.#steps.sweepTopic(lease, topic.toString(), isDueOnly, options)),
		);
		const done: ListedTopic[] = [];
		let removed = 0;
		let failure: { readonly error: unknown } | undefined;
		for (const [i, outcome] of outcomes.entries()) {
			if (outcome.status === 'rejected') {
				failure ??= { error: outcome.reason };
				progress.left++;
				progress.next = 0;
				continue;
			}
			const { value } = outcome;
			removed += value.removed;
			if (value.left === 0) done.push(topics[i] as ListedTopic);
			else {
				progress.left++;
				progress.next = Math.min(progress.next, endsAt, value.soonest || Infinity);
			}
		}
		if (done.length > 0) await this.#steps.settle(lease, done, 0);
		if (failure !== undefined) throw failure.error;
		return removed;
	}
}

function begin(): Progress {
	return { cursor: '0', isListed: false, list: undefined, waiting: [], left: 0, next: Infinity, restsUntil: 0 };
}
