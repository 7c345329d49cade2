import {
	BuiltIn,
	type Envelope,
	type GapNotice,
	type Position,
	type PositionNotice,
	type RefusedTopic,
	SocketRequestError,
} from '@orijs/websocket/protocol';
import type { ClientClosedError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { quiet } from '../support/promises.ts';
import { isTransient, wasNotHandled } from './refusals.ts';
import { ServerSync, type ServerTopicsEvents } from './server-sync.ts';
import type { Subscription, SubscriptionOptions } from './subscription.ts';
import { createTopic, type Topic } from './topic.ts';

export type SubscriptionsEvents = Pick<ServerTopicsEvents, 'gap' | 'due'>;

/** Manages the application's subscriptions, and passes messages and gaps to them. */
export class Subscriptions {
	readonly #failures: Failures;
	readonly #topics = new Map<string, Topic>();
	/** The topics on the server. */
	readonly server: ServerSync;
	/** Positions saved by an earlier client, for topics that have not been subscribed to yet. */
	readonly #saved: Map<string, Position>;

	/** @param positions the positions from which to resume topics */
	constructor(failures: Failures, positions: ReadonlyMap<string, Position>, events: SubscriptionsEvents) {
		this.#saved = new Map(positions);
		this.#failures = failures;
		this.server = new ServerSync(this.#topics, { ...events, refused: (topic, fault) => this.#refused(topic, fault) });
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
		this.server.syncSoon();
		const close = (): Promise<void> => {
			// If the topic is no longer current, the subscription has already ended.
			const isCurrent = this.#topics.get(name) === topic;
			if (isCurrent) undo();
			if (!isCurrent || topic.subscriptions.size > 0) return this.server.removal(name);
			this.#topics.delete(name);
			return this.server.removed(name);
		};
		return quiet(topic.confirmed.promise.then(() => ({ topic: name, close })));
	}

	#create(name: string, rewind: number | undefined): Topic {
		const topic = createTopic(name, this.#failures.listeners(), rewind, this.#saved.get(name));
		this.#saved.delete(name);
		this.#topics.set(name, topic);
		this.server.added(name);
		return topic;
	}

	/** The positions of the topics with history, from which a later client can resume. */
	get positions(): Record<string, Position> {
		const positions = new Map(this.#saved);
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
				if (!this.server.isSubscribed(topic.name)) return true;
			} else if (epoch !== last.epoch || prev !== last.offset) {
				this.server.resubscribe(topic);
				return false;
			} else {
				topic.position = { epoch, offset };
			}
		}
		topic.subscriptions.call((handlers) => handlers.onMessage?.(data, envelope));
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
		this.server.positioned(name);
		topic.position = { epoch, offset };
		if (recovered === undefined) return;
		if (recovered) topic.missingSince = undefined;
		topic.subscriptions.call((handlers) => handlers.onRecovered?.({ recovered, count: count ?? 0 }));
	}

	/** Passes a gap to its topic's subscriptions. */
	gap(gap: GapNotice): void {
		this.#topics.get(gap.topic)?.subscriptions.call((handlers) => handlers.onGap?.(gap));
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
