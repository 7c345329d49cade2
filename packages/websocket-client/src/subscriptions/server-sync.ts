import {
	BuiltIn,
	type GapNotice,
	type RefusedTopic,
	type RequestFault,
	type TopicRequest,
	type TopicsAnswer,
} from '@orijs/websocket/protocol';
import { isTopicsAnswer } from '../connection/answers.ts';
import type { Connection } from '../connection/connection.ts';
import { LONG_AGO } from '../connection/server-time.ts';
import { TOPICS_PER_MESSAGE } from '../connection/pace.ts';
import { type Deferred, deferred } from '../support/promises.ts';
import { gapBetween } from './gap-span.ts';
import { PostponedTopics } from './postponed-topics.ts';
import { confirm, markRequested, requestFor, type Topic } from './topic.ts';

/** The most characters of topics in one message. */
const MAX_CHARACTERS = 2_000;

/** At least the size of a request apart from its topics, in bytes. */
const OVERHEAD = 100;

export interface ServerTopicsEvents {
	/** Called when there are topics to request. */
	due(): void;
	/** Called when the client has resubscribed to a topic, and messages from the time in between may be missing. */
	gap(gap: GapNotice): void;
	/** Called when the server has confirmed a topic, after the gap, if any. */
	confirmed(topic: Topic): void;
	/** Called when the server has refused a topic. Returns whether to request it again later. */
	refused(topic: Topic, fault: RefusedTopic): boolean;
}

/**
 * The state of a topic on the server, for the current connection. The client is not subscribed to any topic that has no
 * state. If the server refuses a topic that is `resubscribing`, the client is still subscribed to it.
 */
type State = 'subscribing' | 'subscribed' | 'resubscribing' | 'unsubscribing';

/**
 * Keeps the topics to which the server has subscribed this client in sync with the topics that the application wants.
 */
export class ServerSync {
	readonly #wanted: ReadonlyMap<string, Topic>;
	readonly #events: ServerTopicsEvents;
	readonly #states = new Map<string, State>();
	/**
	 * Pending removals by topic, resolved once the server has stopped sending the topic's messages, or the topic is
	 * wanted again.
	 */
	readonly #removals = new Map<string, Deferred<void>>();
	readonly #postponed = new PostponedTopics(() => this.#sync());
	#connection: Connection | undefined;
	#isSyncDue = false;
	/** The topics to unsubscribe from, then those to subscribe to. */
	due: string[] = [];

	/** @param wanted the topics that the application wants; `syncSoon()` must be called after each change */
	constructor(wanted: ReadonlyMap<string, Topic>, events: ServerTopicsEvents) {
		this.#wanted = wanted;
		this.#events = events;
	}

	isSubscribed(topic: Topic): boolean {
		return topic.isRequested && this.#states.get(topic.name) === 'subscribed';
	}

	/** Requests all topics on a new connection, which starts without any. */
	open(connection: Connection): void {
		this.#connection = connection;
		this.#postponed.resetDelay();
		this.#sync();
	}

	/** Called when the connection has been lost. */
	shut({ proven }: Connection): void {
		this.#connection = undefined;
		for (const topic of this.#wanted.values()) {
			// Nothing can be missing from a topic that was not confirmed: no message was promised yet.
			if (this.isSubscribed(topic)) topic.missingSince ??= proven;
			topic.isRequested = false;
			// A rewind that the server has not finished begins again.
			if (topic.isRewinding) topic.position = undefined;
			topic.isRewinding = false;
		}
		this.#postponed.clear();
		this.#states.clear();
		this.#settleRemovals();
	}

	/**
	 * Resubscribes to a topic from its position, because messages are missing. Does nothing if a request is already
	 * pending.
	 */
	resubscribe(topic: Topic): void {
		if (!this.isSubscribed(topic)) return;
		topic.missingSince ??= this.#connection?.proven ?? LONG_AGO;
		topic.isRequested = false;
		this.#sync();
	}

	/**
	 * Called when a topic may no longer be wanted. Resolves once the server has stopped sending its messages, if it is
	 * not.
	 */
	async removed(topic: string): Promise<void> {
		this.syncSoon();
		if (this.#states.has(topic) && !this.#wanted.has(topic) && !this.#removals.has(topic)) {
			this.#removals.set(topic, deferred());
		}
		await this.#removals.get(topic)?.promise;
	}

	/** Syncs in a microtask, so that topics added or removed together are requested together. */
	syncSoon(): void {
		if (this.#isSyncDue) return;
		this.#isSyncDue = true;
		queueMicrotask(() => {
			this.#isSyncDue = false;
			this.#sync();
		});
	}

	/**
	 * Subscribes to wanted topics and unsubscribes from unwanted ones, except for topics whose request is pending or
	 * postponed.
	 */
	#sync(): void {
		this.#settleRemovals();
		// Unsubscribes first, because the server limits the number of topics per socket.
		const unwanted = [...this.#states.keys()].filter((topic) => !this.#wanted.has(topic));
		this.due = [...unwanted, ...this.#wanted.keys()].filter(
			(topic) => this.#isDue(topic, this.#wanted.get(topic)) && !this.#postponed.has(topic),
		);
		this.#events.due();
	}

	#isDue(name: string, topic: Topic | undefined): boolean {
		const state = this.#states.get(name);
		if (topic === undefined) return state === 'subscribed';
		// If an earlier topic of this name is still subscribed, or messages are missing, the server is asked again: it
		// sends a position and earlier messages only when it is asked.
		return state === undefined || (state === 'subscribed' && !topic.isRequested);
	}

	/**
	 * Requests some of the topics that are due in one message, as many as count as at most `cost` messages. Returns as
	 * how many they count.
	 */
	requestSome(connection: Connection, cost: number): number {
		const { due } = this;
		const isSubscribe = this.#wanted.has(due[0] as string);
		const topics: (string | TopicRequest)[] = [];
		let left = Math.min(MAX_CHARACTERS, connection.messageBytes - OVERHEAD);
		for (const name of due.slice(0, cost * TOPICS_PER_MESSAGE)) {
			const topic = this.#wanted.get(name);
			const request = topic === undefined ? name : requestFor(topic);
			left -= JSON.stringify(request).length + 1;
			if (topics.length > 0 && (left < 0 || (topic !== undefined) !== isSubscribe)) break;
			topics.push(request);
			const subscribing = this.#states.has(name) ? 'resubscribing' : 'subscribing';
			this.#states.set(name, isSubscribe ? subscribing : 'unsubscribing');
			if (topic !== undefined) markRequested(topic);
		}
		const names = due.splice(0, topics.length);
		const messages = Math.ceil(names.length / TOPICS_PER_MESSAGE);
		void connection
			.requestBuiltIn(isSubscribe ? BuiltIn.subscribe : BuiltIn.unsubscribe, { topics }, messages)
			.then((answer) => (isTopicsAnswer(answer) ? answer : Promise.reject(INVALID_ANSWER)))
			.catch((fault: RequestFault) => allRefused(names, fault))
			.then((answer) => this.#answered(connection, isSubscribe, names, answer));
		return messages;
	}

	#answered(connection: Connection, isSubscribe: boolean, names: readonly string[], answer: TopicsAnswer): void {
		// If the connection has ended, its topics are requested again on the next one.
		if (connection !== this.#connection) return;
		const faults = new Map(answer.refused?.map((fault) => [fault.topic, fault]));
		for (const name of names) {
			const fault = faults.get(name);
			if (isSubscribe) this.#subscribed(name, fault, answer);
			else this.#unsubscribed(name, fault);
		}
		if (faults.size === 0) this.#postponed.resetDelay();
		this.#sync();
	}

	#subscribed(name: string, fault: RefusedTopic | undefined, answer: TopicsAnswer): void {
		const topic = this.#wanted.get(name);
		if (fault !== undefined) {
			if (this.#states.get(name) === 'resubscribing') this.#states.set(name, 'subscribed');
			else this.#states.delete(name);
			if (topic?.isRequested !== true) return;
			topic.isRequested = false;
			if (this.#events.refused(topic, fault)) this.#postponed.add(name);
			return;
		}
		this.#states.set(name, 'subscribed');
		if (topic?.isRequested !== true) return;
		// A server that sent no position keeps no history for the topic.
		if (!topic.isPositioned) topic.position = undefined;
		const { missingSince: since } = topic;
		topic.missingSince = topic.lostSince = undefined;
		confirm(topic);
		if (since !== undefined) this.#events.gap(gapBetween(name, since, answer));
		this.#events.confirmed(topic);
	}

	#unsubscribed(name: string, fault: RefusedTopic | undefined): void {
		if (fault === undefined) {
			this.#states.delete(name);
			return;
		}
		this.#states.set(name, 'subscribed');
		this.#postponed.add(name);
	}

	#settleRemovals(): void {
		for (const [topic, removal] of this.#removals) {
			if (this.#states.has(topic) && !this.#wanted.has(topic)) continue;
			this.#removals.delete(topic);
			removal.resolve();
		}
	}
}

/** Replaces an answer that does not conform to the protocol. */
const INVALID_ANSWER = {
	code: 'internal',
	message: "the server's answer is invalid",
} as const;

function allRefused(topics: readonly string[], { code, message }: RequestFault): TopicsAnswer {
	return { timestamp: 0, refused: topics.map((topic) => ({ topic, code, message })) };
}
