import { BuiltIn, type AnsweredAt, type RequestFault, type TopicRequest } from '@orijs/websocket/protocol';
import { isTopicsAnswer } from '../connection/answers.ts';
import type { Connection } from '../connection/connection.ts';
import type { ServerTime } from '../connection/server-time.ts';
import { TOPICS_PER_MESSAGE } from '../connection/pace.ts';
import { type Deferred, deferred } from '../support/promises.ts';
import { requestFor, type Topic } from './topic.ts';

export interface ServerTopicsEvents {
	/** Called when there are topics to request. */
	due(): void;
	/** Called when the client has resubscribed to a topic, and messages from the time in between may be missing. */
	missed(topic: string, last: ServerTime, now: AnsweredAt): void;
	/** Called when the server has confirmed a topic, after the gap, if any. */
	confirmed(topic: Topic): void;
	/** Called when the server has unsubscribed the client as it was asked to. */
	left(topic: string): void;
	/** Called when the server has refused a topic. Returns whether to request it again later. */
	refused(topic: Topic, fault: RequestFault): boolean | undefined;
}

/** Keeps the topics to which this client is subscribed on the server in sync with those that are wanted. */
export class ServerSync {
	readonly #wanted: ReadonlyMap<string, Topic>;
	readonly #events: ServerTopicsEvents;
	/** The topics to which the client is subscribed on the server. */
	readonly #subscribed = new Set<string>();
	/** The topics whose request is pending. */
	readonly #pending = new Set<string>();
	/** Topics that are requested again only after a delay. */
	readonly #postponed = new Set<string>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	/** How often topics were postponed in a row. The delay doubles each time. */
	#delays = 0;
	/** Resolved when a topic that is being removed may be gone. */
	#change: Deferred<void> | undefined;
	#connection: Connection | undefined;
	#isSyncDue?: boolean;
	/** The topics to unsubscribe from, then those to subscribe to. */
	due: string[] = [];

	/**
	 * @param wanted the topics that the application wants, or the server has chosen; `syncSoon()` must be called after
	 * each change
	 */
	constructor(wanted: ReadonlyMap<string, Topic>, events: ServerTopicsEvents) {
		this.#wanted = wanted;
		this.#events = events;
	}

	/** Returns whether the server has confirmed the topic on this connection, and no request for it is pending. */
	isSubscribed(topic: Topic): boolean {
		return !!topic.isRequested && this.has(topic.name);
	}

	/** Returns whether the client is subscribed to a topic, and no request for it is pending. */
	has(topic: string): boolean {
		return this.#subscribed.has(topic) && !this.#pending.has(topic);
	}

	/**
	 * Called when the server has subscribed the client to a topic by its own decision. Returns whether a request for the
	 * topic is pending, whose answer then decides.
	 *
	 * @param isInStep whether no messages need to be requested
	 */
	chosen(topic: Topic, isInStep: boolean): boolean {
		if (this.#pending.has(topic.name)) return true;
		this.#subscribed.add(topic.name);
		topic.isRequested = isInStep;
		// It may have been due.
		if (!isInStep || this.due.length) this.#sync();
		return false;
	}

	/**
	 * Called when the server has unsubscribed the client from a topic. Returns whether it was subscribed; not if a
	 * request is pending, whose answer then decides.
	 */
	left(topic: string): boolean {
		if (!this.has(topic)) return false;
		this.#subscribed.delete(topic);
		this.syncSoon();
		return true;
	}

	/** Requests all topics on a new connection, except those that the server has chosen on it. */
	open(connection: Connection): void {
		this.#connection = connection;
		this.#delays = 0;
		this.#sync();
	}

	/** Called when the connection has been lost. */
	shut({ proven }: Connection): void {
		this.#connection = undefined;
		for (const topic of this.#wanted.values()) {
			// Nothing can be missing from a topic that was not confirmed: no message was promised yet.
			if (topic.isConfirmed || topic.saved) topic.missingSince ??= proven;
			topic.isRequested = false;
			// A rewind that the server has not finished begins again.
			if (topic.isRewinding) topic.position = undefined;
			topic.isRewinding = false;
		}
		this.#endDelay();
		this.#subscribed.clear();
		this.#pending.clear();
		this.#changed();
	}

	/**
	 * Resubscribes to a topic from its position, because messages are missing. Does nothing if a request is already
	 * pending.
	 */
	resubscribe(topic: Topic): void {
		if (!this.isSubscribed(topic)) return;
		// Before the connection is ready, only topics that the server has chosen on it are subscribed to.
		topic.missingSince ??= (this.#connection ?? topic.chosenOn)?.proven;
		topic.isRequested = false;
		this.#sync();
	}

	/**
	 * Called when a topic may no longer be wanted. If it is not, resolves once the server has stopped sending its
	 * messages; otherwise immediately.
	 */
	async removed(topic: string): Promise<void> {
		// Its unsubscribing must not wait for a postponed request.
		if (!this.#wanted.has(topic)) this.#postponed.delete(topic);
		this.syncSoon();
		while (this.#isLeaving(topic)) await (this.#change ??= deferred()).promise;
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
	 * postponed. If an earlier topic of the same name is still subscribed, or messages are missing, the server is asked
	 * again, because it sends a position and earlier messages only when it is asked.
	 */
	#sync(): void {
		this.#changed();
		// Unsubscribes first, because the server limits the number of topics per socket.
		const unwanted = [...this.#subscribed].filter((name) => !this.#wanted.has(name));
		this.due = [...unwanted, ...this.#wanted.keys()].filter(
			(name) => !this.#pending.has(name) && !this.#postponed.has(name) && !this.#wanted.get(name)?.isRequested,
		);
		this.#events.due();
	}

	/**
	 * Requests topics that are due, in one message that counts as at most `cost` messages towards the rate limit.
	 * Returns how many it counts as.
	 */
	requestSome(connection: Connection, cost: number): number {
		const { due } = this;
		const isSubscribe = this.#wanted.has(due[0] as string);
		const topics: (string | TopicRequest)[] = [];
		/** The most characters of topics in one message. */
		const MAX_CHARACTERS = 2_000;
		/** At least the size of a request apart from its topics, in bytes. */
		const OVERHEAD = 100;
		let left = Math.min(MAX_CHARACTERS, connection.messageBytes - OVERHEAD);
		for (const name of due.slice(0, cost * TOPICS_PER_MESSAGE)) {
			const topic = this.#wanted.get(name);
			const request = topic ? requestFor(topic) : name;
			left -= JSON.stringify(request).length + 1;
			if (topics.length > 0 && (left < 0 || !topic === isSubscribe)) break;
			topics.push(request);
			this.#pending.add(name);
			if (!topic) continue;
			topic.isRequested = true;
			topic.isPositioned = false;
			topic.removal = topic.isChosenSince = undefined;
			// Without a position, the answer begins with the messages of the rewinds.
			if (topic.position) continue;
			for (const handle of topic.handles) if (handle.isRewindDue) handle.held = [];
		}
		const names = due.splice(0, topics.length);
		const messages = Math.ceil(names.length / TOPICS_PER_MESSAGE);
		connection.ask(isSubscribe ? BuiltIn.subscribe : BuiltIn.unsubscribe, { topics }, messages).then(
			(answer) => this.#answered(connection, isSubscribe, names, answer),
			(fault: RequestFault) => this.#answered(connection, isSubscribe, names, undefined, fault),
		);
		return messages;
	}

	/** @param failure why there is no answer; the default stands for one that does not conform to the protocol */
	#answered(
		connection: Connection,
		isSubscribe: boolean,
		names: readonly string[],
		received: unknown,
		failure: RequestFault = { code: 'internal', message: 'the answer is invalid' },
	): void {
		// If the connection has ended, its topics are requested again on the next one.
		if (connection !== this.#connection) return;
		const answer = isTopicsAnswer(received) ? received : undefined;
		for (const name of names) {
			const fault = answer ? answer.refused?.find((refused) => refused.topic === name) : failure;
			const topic = this.#wanted.get(name);
			this.#pending.delete(name);
			if (fault) {
				if (!isSubscribe) this.#postpone(name);
			} else if (isSubscribe) this.#subscribed.add(name);
			else {
				this.#subscribed.delete(name);
				this.#events.left(name);
			}
			if (!topic?.isRequested) continue;
			if (fault) {
				topic.isRequested = false;
				if (this.#events.refused(topic, fault)) this.#postpone(name);
				continue;
			}
			// A server that sent no position keeps no history for the topic.
			if (!topic.isPositioned) topic.position = undefined;
			this.settle(topic, answer as AnsweredAt);
		}
		if (answer && !answer.refused?.length) this.#delays = 0;
		this.#sync();
	}

	/** Called when all messages of a topic arrive, from a time that is not before `now`. */
	settle(topic: Topic, now: AnsweredAt): void {
		const since = topic.missingSince;
		topic.missingSince = topic.lostSince = undefined;
		topic.isConfirmed = true;
		if (since) this.#events.missed(topic.name, since, now);
		this.#events.confirmed(topic);
	}

	/** Postpones a topic. If other topics are already postponed, it is due together with them. */
	#postpone(name: string): void {
		const FIRST_DELAY_MS = 1_000;
		const MAX_DELAY_MS = 30_000;
		this.#postponed.add(name);
		this.#timer ??= setTimeout(
			() => {
				this.#endDelay();
				this.#sync();
			},
			Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#delays++),
		);
	}

	#endDelay(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#postponed.clear();
	}

	/** Returns whether the server may send messages of a topic although it is not wanted. */
	#isLeaving(name: string): boolean {
		return !this.#wanted.has(name) && (this.#subscribed.has(name) || this.#pending.has(name));
	}

	#changed(): void {
		this.#change?.resolve();
		this.#change = undefined;
	}
}
