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
import { confirm, requestFor, type Topic } from './topic.ts';

/** The most characters of topics in one message. */
const MAX_CHARACTERS = 2_000;

/** At least the size of a request apart from its topics, in bytes. */
const OVERHEAD = 100;

export interface ServerTopicsEvents {
	/** Called when there are topics to request. */
	due(): void;
	/** Called when the client has resubscribed to a topic, and messages from the time in between may be missing. */
	gap(gap: GapNotice): void;
	/** Called when the server has refused a topic. Returns whether to request it again later. */
	refused(topic: Topic, fault: RefusedTopic): boolean;
}

/**
 * The state of a topic on the server, for the current connection. The client is not subscribed to any topic that has no
 * state.
 */
type State = 'subscribing' | 'subscribed' | 'unsubscribing';

/**
 * Keeps the topics to which the server has subscribed this client in sync with the topics that the application wants.
 */
export class ServerSync {
	readonly #wanted: ReadonlyMap<string, Topic>;
	readonly #events: ServerTopicsEvents;
	readonly #states = new Map<string, State>();
	/** Topics whose position the server has sent since they were last requested. */
	readonly #positioned = new Set<string>();
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

	isSubscribed(topic: string): boolean {
		return this.#states.get(topic) === 'subscribed';
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
			if (proven === undefined || !this.isSubscribed(topic.name)) continue;
			topic.missingSince ??= proven;
		}
		this.#postponed.clear();
		this.#states.clear();
		this.#positioned.clear();
		this.#settleRemovals();
	}

	/** Called when the server has sent the position of a wanted topic. The topic's messages follow. */
	positioned(topic: string): void {
		this.#positioned.add(topic);
	}

	/**
	 * Resubscribes to a topic from its position, because messages are missing. Does nothing if a request is already
	 * pending.
	 */
	resubscribe(topic: Topic): void {
		if (!this.isSubscribed(topic.name)) return;
		topic.missingSince ??= this.#connection?.proven ?? LONG_AGO;
		this.#states.delete(topic.name);
		this.#sync();
	}

	/** Called when the application wants a topic that it did not want before. */
	added(topic: string): void {
		// If the server has not unsubscribed the client yet, the topic must be requested again to obtain its position,
		// because the client dropped the position with the topic's last subscription.
		if (this.#positioned.has(topic) && this.isSubscribed(topic)) this.#states.delete(topic);
	}

	/** Called when a topic is no longer wanted. Resolves once the server has stopped sending its messages. */
	removed(topic: string): Promise<void> {
		this.syncSoon();
		if (!this.#states.has(topic)) return Promise.resolve();
		if (!this.#removals.has(topic)) this.#removals.set(topic, deferred());
		return this.removal(topic);
	}

	/** Resolves once the pending removal of a topic, if any, is done. */
	removal(topic: string): Promise<void> {
		return this.#removals.get(topic)?.promise ?? Promise.resolve();
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
		// If a topic was wanted again before the client unsubscribed, the client is still subscribed, so the topic is
		// confirmed.
		for (const topic of this.#wanted.values()) {
			if (!topic.isConfirmed && this.isSubscribed(topic.name)) confirm(topic);
		}
		// Unsubscribes first, because the server limits the number of topics per socket.
		this.due = [...this.#states.keys(), ...this.#wanted.keys()].filter((topic) => {
			const isInSync = this.#wanted.has(topic) ? this.#states.has(topic) : !this.isSubscribed(topic);
			return !isInSync && !this.#postponed.has(topic);
		});
		this.#events.due();
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
			this.#states.set(name, isSubscribe ? 'subscribing' : 'unsubscribing');
			this.#positioned.delete(name);
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
			this.#states.delete(name);
			if (topic !== undefined && this.#events.refused(topic, fault)) this.#postponed.add(name);
			return;
		}
		this.#states.set(name, 'subscribed');
		if (topic === undefined) return;
		// A server that sent no position keeps no history for the topic.
		if (!this.#positioned.has(name)) topic.position = undefined;
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
