import { DONE, settledWithin, toError } from '../support/promises.ts';
import { Queue } from '../support/queue.ts';
import { answered } from './answered.ts';
import { PresenceLeaseLostError } from './errors.ts';
import type { Member, OwnTopic } from './own-member.ts';
import type { OutageLog } from './outage-log.ts';
import type { PresenceRule } from './presence-rules.ts';
import { PresenceStep } from './presence-step.ts';
import {
	MAX_PRESENCE_OPS,
	type PresenceLease,
	type PresenceOp,
	type PresenceState,
	type PresenceStore,
} from './presence-store.ts';
import { PutAgain } from './put-again.ts';
import { Retries } from './retries.ts';
import { TopicChanges } from './topic-changes.ts';

export interface PresenceWriterOptions {
	readonly store: PresenceStore;
	/** Returns this node's lease; undefined if it does not hold at the moment. */
	lease(now: number): PresenceLease | undefined;
	/** Called when the backend does not know a lease any longer. */
	onLeaseLost(lease: PresenceLease): void;
	/** Returns the start of a change frame. */
	header(topic: string): Uint8Array;
	/** Returns all topics with members of this node. */
	topics(): Iterator<OwnTopic>;
	/** Called when a member's record is as it is to be. */
	onStored(member: Member): void;
	/** Called when changes of a topic are stored. */
	onApplied(topic: string, state: PresenceState): void;
	readonly outages: OutageLog;
}

/** How long changes wait for others that are stored together with them, in milliseconds. */
const FLUSH_MS = 25;
/** The most topics that are written at a time. */
const MOST_IN_FLIGHT = 64;
/** How many of the topics whose changes have failed are tried again to find out whether it works again. */
const PROBES = 4;
/** The most topics that are written without a pause. */
const STEPS_AT_A_TIME = 200;
/** The most topics that are looked through at a time for members to be put again. */
const TOPICS_AT_A_TIME = 200;

/** Returns the most members whose changes are told by name: see {@link PresenceBatch.membersUpTo}. */
export function membersUpTo({ events, membersUpTo: most }: PresenceRule): number {
	return events === 'members' ? most : 0;
}

/**
 * Makes the records at the store as this node's members are. What counts is only how a member is when its turn comes:
 * what was in between costs nothing, and what has failed, or may have failed, is simply done again.
 */
export class PresenceWriter {
	readonly #options: PresenceWriterOptions;
	#soon: OwnTopic[] = [];
	readonly #due = new Queue<OwnTopic>();
	readonly #failed = new Set<OwnTopic>();
	readonly #again: PutAgain;
	readonly #retries = new Retries(
		() => {
			this.#retry(PROBES);
			this.pump();
		},
		() => this.pump(),
	);
	/** Those that somebody waits for. */
	readonly #awaited = new Set<TopicChanges<Member>>();
	#inFlight = 0;
	/** How many steps there were since the last pause. */
	#steps = 0;
	#flushing: ReturnType<typeof setTimeout> | undefined;
	#pumping: ReturnType<typeof setImmediate> | undefined;
	/** Whether this node is leaving: its members with sockets are to linger. */
	#isLeaving = false;
	#onIdle: (() => void) | undefined;

	constructor(options: PresenceWriterOptions) {
		this.#options = options;
		this.#again = new PutAgain(() => options.topics());
	}

	/** Called when a member's record may not be as it is to be. */
	changed(member: Member): void {
		const { topic } = member;
		const changes = this.#add(topic, member);
		if (changes !== undefined) this.#later(topic, changes);
	}

	/** Adds a member to the changes of its topic. Returns them if the topic had none. */
	#add(topic: OwnTopic, member: Member): TopicChanges<Member> | undefined {
		const isNew = topic.changes === undefined;
		const changes = (topic.changes ??= new TopicChanges<Member>());
		changes.add(member);
		return isNew ? changes : undefined;
	}

	#later(topic: OwnTopic, changes: TopicChanges<Member>): void {
		changes.state = 'soon';
		this.#soon.push(topic);
		this.#flushing ??= setTimeout(() => this.#flush(), FLUSH_MS);
	}

	#flush(): void {
		this.#flushing = undefined;
		this.#endWaiting();
		this.pump();
	}

	#endWaiting(): void {
		const topics = this.#soon;
		this.#soon = [];
		for (const topic of topics) if (topic.changes?.state === 'soon') this.#makeDue(topic, topic.changes);
	}

	#makeDue(topic: OwnTopic, changes: TopicChanges<Member>): void {
		changes.state = 'due';
		this.#due.push(topic);
	}

	/** Resolves once a topic's changes are stored, or can't be at the moment. */
	settled({ changes }: OwnTopic): Promise<void> {
		if (changes === undefined || changes.state === 'failed' || this.#isBlocked) return DONE;
		this.#awaited.add(changes);
		return changes.settled();
	}

	get #isBlocked(): boolean {
		return this.#retries.isHopeless || this.#options.lease(performance.now()) === undefined;
	}

	// Sending

	/** Sends what is due, as far as possible. */
	pump(): void {
		const lease = this.#options.lease(performance.now());
		if (lease === undefined) {
			this.giveUp();
			return;
		}
		this.#findLost();
		while (this.#due.size > 0) {
			if (this.#inFlight >= this.#retries.limit(MOST_IN_FLIGHT)) return this.#checkIdle();
			if (++this.#steps > STEPS_AT_A_TIME) return this.#pumpLater();
			const topic = this.#due.shift();
			if (topic?.changes !== undefined) this.#step(topic, topic.changes, lease);
		}
		if (this.#again.isPending) this.#pumpLater();
		else this.#checkIdle();
	}

	/** Goes on in another turn: a store in this process answers within the same one. */
	#pumpLater(): void {
		this.#pumping ??= setImmediate(() => {
			this.#pumping = undefined;
			this.#steps = 0;
			this.pump();
		});
	}

	/** Sends the oldest changes of a topic. */
	#step(topic: OwnTopic, changes: TopicChanges<Member>, lease: PresenceLease): void {
		const { onStored } = this.#options;
		const step = new PresenceStep(changes, { isLeaving: this.#isLeaving, onStored });
		const { ops } = step;
		if (ops.length === 0) {
			step.applied();
			this.#clean(topic, changes);
			return;
		}
		changes.state = 'sending';
		this.#inFlight++;
		void this.#apply(topic, ops, lease).then((error) => {
			this.#inFlight--;
			if (error === undefined) {
				step.applied();
				this.#onSuccess(changes);
				this.#next(topic, changes);
			} else {
				step.failed();
				this.#onFailure(topic, changes, lease, error);
			}
			this.pump();
		});
	}

	/** Never rejects: resolves with what has failed. */
	async #apply(topic: OwnTopic, ops: readonly PresenceOp[], lease: PresenceLease): Promise<Error | undefined> {
		const { store, header, onApplied } = this.#options;
		try {
			const batch = { lease, header: header(topic.name), ops, membersUpTo: membersUpTo(topic.rule) };
			onApplied(topic.name, await answered(store.apply(topic.name, batch)));
			return undefined;
		} catch (thrown) {
			return toError(thrown);
		}
	}

	/** Goes on with a topic whose step has ended. */
	#next(topic: OwnTopic, changes: TopicChanges<Member>): void {
		if (changes.size === 0) this.#clean(topic, changes);
		else if (changes.size >= MAX_PRESENCE_OPS || this.#isLeaving) this.#makeDue(topic, changes);
		else this.#later(topic, changes);
	}

	#clean(topic: OwnTopic, changes: TopicChanges<Member>): void {
		topic.changes = undefined;
		this.#awaited.delete(changes);
	}

	#onSuccess(changes: TopicChanges<Member>): void {
		this.#retries.succeeded();
		if (changes.hasFailed) {
			changes.hasFailed = false;
			this.#retry(Infinity);
		}
		if (this.#failed.size === 0) this.#options.outages.over('changes');
	}

	#onFailure(topic: OwnTopic, changes: TopicChanges<Member>, lease: PresenceLease, error: Error): void {
		if (error instanceof PresenceLeaseLostError) {
			this.#makeDue(topic, changes);
			this.#options.onLeaseLost(lease);
			return;
		}
		changes.state = 'failed';
		changes.hasFailed = true;
		this.#failed.add(topic);
		this.#options.outages.failed('changes', error);
		this.#retries.failed();
		if (this.#retries.isHopeless) this.giveUp();
	}

	/** Sends the changes of topics again that have failed, at most of `count` topics. */
	#retry(count: number): void {
		let left = count;
		for (const topic of this.#failed) {
			if (left-- === 0) break;
			this.#failed.delete(topic);
			if (topic.changes !== undefined) this.#makeDue(topic, topic.changes);
		}
	}

	/** Called when the backend can be reached again: what has failed is retried at once. */
	ready(): void {
		this.#options.outages.over('changes');
		this.#retries.reset();
		this.#retry(Infinity);
		this.pump();
	}

	/** Called when nothing can be stored at the moment: no one waits for it. */
	giveUp(): void {
		for (const changes of this.#awaited) changes.giveUp();
		this.#awaited.clear();
		this.#checkIdle();
	}

	// Putting again

	/** Puts all members again. */
	putAll(): void {
		this.#again.all();
		this.pump();
	}

	/** Puts members of some topics again. */
	putSome(isAffected: (topic: string) => boolean): void {
		this.#again.some(isAffected);
		this.pump();
	}

	#findLost(): void {
		if (this.#due.size >= MOST_IN_FLIGHT) return;
		this.#again.next(TOPICS_AT_A_TIME, (topic) => {
			for (const member of topic.members.values()) {
				if (!this.#isLeaving) member.unknown();
				this.#add(topic, member);
			}
			const { changes } = topic;
			if (changes === undefined) return;
			if (!this.#isLeaving) changes.losses++;
			if (changes.state === 'soon') this.#makeDue(topic, changes);
		});
	}

	// Stopping

	/**
	 * Stores what is dirty, and that members with sockets linger from now on. Resolves when that is done or has failed,
	 * or after `timeoutMs`.
	 */
	async leave(timeoutMs: number): Promise<void> {
		this.#isLeaving = true;
		const idle = new Promise<void>((resolve) => (this.#onIdle = resolve));
		this.#again.all();
		this.#endWaiting();
		this.pump();
		await settledWithin(timeoutMs, idle);
		this.#onIdle = undefined;
	}

	/** Called when nothing is left that could be sent. */
	#checkIdle(): void {
		if (this.#onIdle === undefined || this.#inFlight > 0) return;
		if (this.#isBlocked || (this.#due.size === 0 && !this.#again.isPending)) this.#onIdle();
	}

	/** Called when this node starts. */
	start(): void {
		this.#isLeaving = false;
	}

	/** Called when this node has stopped. What is dirty stays so. */
	stop(): void {
		this.#retries.reset();
		clearTimeout(this.#flushing);
		clearImmediate(this.#pumping);
		this.#flushing = undefined;
		this.#pumping = undefined;
	}
}
