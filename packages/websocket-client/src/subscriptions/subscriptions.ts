import {
	BuiltIn,
	type Envelope,
	type GapNotice,
	MAX_TOPICS,
	type Position,
	type PositionNotice,
	type RefusedTopic,
	SocketRequestError,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import type { ClientClosedError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import type { Positions } from '../positions/positions.ts';
import { quiet } from '../support/promises.ts';
import { isTransient, wasNotHandled } from './refusals.ts';
import { ServerSync } from './server-sync.ts';
import type { Subscription, SubscriptionOptions } from './subscription.ts';
import { createTopic, type Topic } from './topic.ts';

/** Manages the application's subscriptions, and passes messages and gaps to them. */
export class Subscriptions {
	readonly #failures: Failures;
	readonly #topics = new Map<string, Topic>();
	readonly #server: ServerSync;
	readonly #positions: Positions;

	/**
	 * @param onGap called with each gap that is caused by a lost connection
	 * @param positions from where topics resume
	 */
	constructor(failures: Failures, onGap: (gap: GapNotice) => void, positions: Positions) {
		this.#positions = positions;
		this.#failures = failures;
		this.#server = new ServerSync(this.#topics, {
			gap: onGap,
			refused: (topic, fault) => this.#refused(topic, fault),
		});
	}

	/**
	 * Adds a subscription. Resolves once the server has confirmed it.
	 *
	 * @throws {SocketRequestError} the server has refused the subscription
	 * @throws {ClientClosedError} the client no longer reconnects
	 */
	add(name: string, handlers: SubscriptionOptions): Promise<Subscription> {
		const topic = this.#topics.get(name) ?? this.#create(name, handlers.rewind);
		const undo = topic.subscriptions.add((call) => call(handlers));
		this.#server.syncSoon();
		const close = (): Promise<void> => {
			// If the topic is no longer current, the subscription has already ended.
			const isCurrent = this.#topics.get(name) === topic;
			if (isCurrent) undo();
			if (!isCurrent || topic.subscriptions.size > 0) return this.#server.removal(name);
			this.#topics.delete(name);
			return this.#server.removed(name);
		};
		return quiet(topic.confirmed.promise.then(() => ({ topic: name, close })));
	}

	#create(name: string, rewind: number | undefined): Topic {
		const topic = createTopic(name, this.#failures.listeners(), rewind, this.#positions.take(name));
		this.#topics.set(name, topic);
		this.#server.added(name);
		return topic;
	}

	/**
	 * The number of messages that the server's rate limit counts for subscribing to all topics on a new connection.
	 * Every ten topics in a batch count as one message.
	 */
	get cost(): number {
		const { size } = this.#topics;
		return Math.ceil(size / 10) + Math.ceil(size / MAX_TOPICS);
	}

	/** The positions of the topics with history that are subscribed to, and those not used yet. */
	get positions(): Record<string, Position> {
		const positions = new Map(this.#positions.unused);
		for (const [name, { position }] of this.#topics) if (position !== undefined) positions.set(name, position);
		return Object.fromEntries(positions);
	}

	/**
	 * Passes a message to its topic's subscriptions. Returns whether to pass it to other listeners as well. If messages
	 * between the topic's last message and this one are missing, drops this one and requests all of them.
	 */
	deliver(envelope: Envelope): boolean {
		const { topic: name, data } = envelope;
		const topic = name === undefined ? undefined : this.#topics.get(name);
		if (topic === undefined) return true;
		if (envelope.position !== undefined) {
			const { epoch, offset, prev } = envelope.position;
			const { position: last } = topic;
			if (last === undefined) {
				// Messages that arrive before the confirmation go only to listeners that are not bound to a topic. If the
				// server has confirmed the topic without sending a position, it keeps no history for the topic. The message
				// then comes from a node that does, for example during a deployment, and its order can't be checked.
				if (!this.#server.isSubscribed(topic.name)) return true;
			} else if (epoch !== last.epoch || prev !== last.offset) {
				this.#server.resubscribe(topic);
				return false;
			} else {
				topic.position = { epoch, offset };
			}
		}
		topic.subscriptions.call((handlers) => handlers.onMessage?.(data, envelope));
		this.#positions.reached(topic);
		return true;
	}

	/** Called when the server has sent the position of one or more topics. Their messages follow. */
	positioned(notice: PositionNotice): void {
		for (const name of notice.topics) this.#positioned(name, notice);
	}

	#positioned(name: string, { epoch, offset, recovered, count }: PositionNotice): void {
		const topic = this.#topics.get(name);
		// A notice without a count is for subscribers that have a position. It may date from before this topic was
		// requested.
		if (topic === undefined || (count ?? topic.position) === undefined) return;
		this.#server.positioned(name);
		topic.position = { epoch, offset };
		// If messages are lost, the gap is reported later.
		if (recovered !== false) this.#positions.reached(topic);
		if (recovered === undefined) return;
		if (recovered) topic.missingSince = undefined;
		topic.subscriptions.call((handlers) => handlers.onRecovered?.({ recovered, count: count ?? 0 }));
	}

	/** Passes a gap to its topic's subscriptions. */
	gap(gap: GapNotice): void {
		const topic = this.#topics.get(gap.topic);
		topic?.subscriptions.call((handlers) => handlers.onGap?.(gap));
		this.#positions.reached(topic);
	}

	/** Called when a connection is ready. */
	open(connection: Connection): void {
		this.#server.open(connection);
	}

	/** Called when the connection has been lost. */
	shut(connection: Connection): void {
		this.#server.shut(connection);
	}

	/** Called when the client stops reconnecting. Rejects the subscriptions that were never confirmed. */
	rejectUnconfirmed(error: ClientClosedError): void {
		for (const topic of this.#topics.values()) {
			if (topic.isConfirmed) continue;
			this.#topics.delete(topic.name);
			topic.confirmed.reject(error);
		}
	}

	/** Handles the refusal of a topic. Returns whether to request it again later. */
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
