import {
	BuiltIn,
	type GapNotice,
	type RefusedTopic,
	type RequestFault,
	type SocketRequestError,
	type TopicRequest,
	type TopicsAnswer,
} from '@orijs/websocket/protocol';
import { isTopicsAnswer } from '../connection/answers.ts';
import type { Connection } from '../connection/connection.ts';
import { LONG_AGO } from '../connection/server-time.ts';
import { type Deferred, deferred } from '../support/promises.ts';
import { batches } from './batches.ts';
import { gapBetween } from './gap-span.ts';
import { PostponedTopics } from './postponed-topics.ts';
import { confirm, requestFor, type Topic } from './topic.ts';

export interface ServerTopicsEvents {
	/** Called when the client has resubscribed to a topic, and messages from the time in between may be missing. */
	gap(gap: GapNotice): void;
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
		if (this.#states.has(topic) && !this.#wanted.has(topic) && !this.#removals.has(topic)) {
			this.#removals.set(topic, deferred());
			this.syncSoon();
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
		if (this.#connection?.isReady !== true) return;
		const missing: TopicRequest[] = [];
		for (const topic of this.#wanted.values()) {
			const state = this.#states.get(topic.name);
			// If an earlier topic of this name is still subscribed, or messages are missing, the server is asked again,
			// because it sends a position and earlier messages only when it is asked.
			const isMissing = state === undefined || (state === 'subscribed' && !topic.isRequested);
			if (!isMissing || this.#postponed.has(topic.name)) continue;
			topic.isRequested = true;
			topic.isPositioned = false;
			missing.push(requestFor(topic));
		}
		const unwanted: TopicRequest[] = [];
		for (const [topic, state] of this.#states) {
			if (state === 'subscribed' && !this.#wanted.has(topic) && !this.#postponed.has(topic)) unwanted.push({ topic });
		}
		// Unsubscribes first, because the server limits the number of topics per socket.
		this.#request(this.#connection, BuiltIn.unsubscribe, unwanted);
		this.#request(this.#connection, BuiltIn.subscribe, missing);
	}

	#request(connection: Connection, type: string, all: readonly TopicRequest[]): void {
		for (const requests of batches(all)) {
			const names = requests.map(({ topic }) => topic);
			for (const name of names) {
				const subscribing = this.#states.has(name) ? 'resubscribing' : 'subscribing';
				this.#states.set(name, type === BuiltIn.subscribe ? subscribing : 'unsubscribing');
			}
			const topics = requests.map((request) => ((request.since ?? request.rewind) ? request : request.topic));
			const answered = (answer: TopicsAnswer): void => this.#answered(connection, type, names, answer);
			connection.requestBuiltIn(type, { topics }).then(
				(answer) => answered(isTopicsAnswer(answer) ? answer : allRefused(names, INVALID_ANSWER)),
				(error: SocketRequestError) => answered(allRefused(names, error)),
			);
		}
	}

	#answered(connection: Connection, type: string, names: readonly string[], answer: TopicsAnswer): void {
		// If the connection has ended, its topics are requested again on the next one.
		if (connection !== this.#connection) return;
		const faults = new Map(answer.refused?.map((fault) => [fault.topic, fault]));
		for (const name of names) {
			const fault = faults.get(name);
			if (type === BuiltIn.subscribe) this.#subscribed(name, fault, answer);
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
		topic.missingSince = undefined;
		confirm(topic);
		if (since !== undefined) this.#events.gap(gapBetween(name, since, answer));
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
