import {
	BuiltIn,
	type Envelope,
	type GapNotice,
	MOST_TOPICS,
	type Position,
	type PositionNotice,
	type RefusedTopic,
	SocketRequestError,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import type { ClientClosedError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { quiet } from '../support/promises.ts';
import { isTransient, wasNotHandled } from './refusals.ts';
import { ServerSync } from './server-sync.ts';
import type { Subscription, SubscriptionOptions } from './subscription.ts';
import { createTopic, type Topic } from './topic.ts';

/** The application's subscriptions, and what arrives for them. */
export class Subscriptions {
	readonly #failures: Failures;
	readonly #topics = new Map<string, Topic>();
	readonly #server: ServerSync;
	/** Positions of an earlier client, until their topics are subscribed to. */
	readonly #saved: Map<string, Position>;

	/**
	 * @param onGap called with what may have been missed while there was no connection
	 * @param positions from which to resume topics
	 */
	constructor(failures: Failures, onGap: (gap: GapNotice) => void, positions: ReadonlyMap<string, Position>) {
		this.#saved = new Map(positions);
		this.#failures = failures;
		this.#server = new ServerSync(this.#topics, {
			gap: onGap,
			refused: (topic, fault) => this.#refused(topic, fault),
		});
	}

	/** Resolves once the server has confirmed. @throws {SocketRequestError} it has refused; {ClientClosedError} */
	add(name: string, handlers: SubscriptionOptions): Promise<Subscription> {
		const topic = this.#topics.get(name) ?? this.#create(name, handlers.rewind);
		const undo = topic.subscriptions.add((call) => call(handlers));
		this.#server.syncSoon();
		const close = (): Promise<void> => {
			// Otherwise the subscription is over already.
			const isCurrent = this.#topics.get(name) === topic;
			if (isCurrent) undo();
			if (!isCurrent || topic.subscriptions.size > 0) return this.#server.removal(name);
			this.#topics.delete(name);
			return this.#server.removed(name);
		};
		return quiet(topic.confirmed.promise.then(() => ({ topic: name, close })));
	}

	#create(name: string, rewind: number | undefined): Topic {
		const topic = createTopic(name, this.#failures.listeners(), rewind, this.#saved.get(name));
		this.#saved.delete(name);
		this.#topics.set(name, topic);
		this.#server.added(name);
		return topic;
	}

	/** How many messages subscribing to all topics on a new connection counts as: ten topics of a batch count as one. */
	get cost(): number {
		const { size } = this.#topics;
		return Math.ceil(size / 10) + Math.ceil(size / MOST_TOPICS);
	}

	/** The positions of the topics with history, from which a later client can resume them. */
	get positions(): Record<string, Position> {
		const positions = new Map(this.#saved);
		for (const [name, { position }] of this.#topics) if (position !== undefined) positions.set(name, position);
		return Object.fromEntries(positions);
	}

	/**
	 * Passes a message to the topic's subscriptions. Returns whether it is to be delivered: not if it does not follow
	 * the last one of a topic with history, in which case the messages in between are requested.
	 */
	deliver(envelope: Envelope): boolean {
		const { topic: name, data } = envelope;
		const topic = name === undefined ? undefined : this.#topics.get(name);
		if (topic === undefined) return true;
		if (envelope.position !== undefined) {
			const { epoch, offset, prev } = envelope.position;
			const { position: last } = topic;
			if (last === undefined) {
				// Messages from before the confirmation are for listeners of all messages only. After it, a server that
				// sent no position keeps no history of the topic, but other nodes may, as during a deploy: then nothing
				// tells which message follows which.
				if (!this.#server.isSubscribed(topic.name)) return true;
			} else if (epoch !== last.epoch || prev !== last.offset) {
				this.#server.resubscribe(topic);
				return false;
			} else {
				topic.position = { epoch, offset };
			}
		}
		topic.subscriptions.call((handlers) => handlers.onMessage?.(data, envelope));
		return true;
	}

	/** The topic's messages follow this position from now on. */
	positioned({ topic: name, epoch, offset, recovered, count = 0 }: PositionNotice): void {
		this.#server.positioned(name);
		const topic = this.#topics.get(name);
		if (topic === undefined) return;
		topic.position = { epoch, offset };
		if (recovered === undefined) return;
		if (recovered) topic.missingSince = undefined;
		topic.subscriptions.call((handlers) => handlers.onRecovered?.({ recovered, count }));
	}

	/** Messages may be missing. */
	gap(gap: GapNotice): void {
		this.#topics.get(gap.topic)?.subscriptions.call((handlers) => handlers.onGap?.(gap));
	}

	/** A connection is ready. */
	open(connection: Connection): void {
		this.#server.open(connection);
	}

	/** The connection was lost. */
	shut(connection: Connection): void {
		this.#server.shut(connection);
	}

	/** The client no longer reconnects: rejects the subscriptions that were never confirmed. */
	rejectUnconfirmed(error: ClientClosedError): void {
		for (const topic of this.#topics.values()) {
			if (topic.isConfirmed) continue;
			this.#topics.delete(topic.name);
			topic.confirmed.reject(error);
		}
	}

	/** Returns whether to request it again. */
	#refused(topic: Topic, { code, message }: RefusedTopic): boolean {
		const error = new SocketRequestError(`${BuiltIn.subscribe} ${topic.name}`, code, message);
		if (isTransient(code, topic.isConfirmed)) {
			if (!wasNotHandled(code)) this.#failures.report(error, 'subscribe');
			return true;
		}
		this.#topics.delete(topic.name);
		if (topic.isConfirmed) {
			topic.subscriptions.call((handlers) => handlers.onRefused?.(error));
			this.#failures.report(error, 'subscribe');
		} else topic.confirmed.reject(error);
		return false;
	}
}
