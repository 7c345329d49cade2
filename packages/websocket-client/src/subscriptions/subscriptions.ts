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
import type { Positions } from '../positions/positions.ts';
import type { Listeners } from '../support/listeners.ts';
import { isTransient, wasNotHandled } from './refusals.ts';
import { type ReadHistory, rewind, rewindPositioned } from './rewinds.ts';
import { ServerSync, type ServerTopicsEvents } from './server-sync.ts';
import { SubscriptionHandle, type SubscriptionOwner } from './subscription-handle.ts';
import type { PendingSubscription, SubscriptionOptions } from './subscription.ts';
import { createTopic, type Topic } from './topic.ts';

export interface SubscriptionsOptions extends Pick<ServerTopicsEvents, 'due'> {
	/** Requests a page of a topic's history. */
	readonly history: ReadHistory;
}

/** Manages the application's subscriptions, and passes messages and gaps to them. */
export class Subscriptions implements SubscriptionOwner {
	readonly #failures: Failures;
	readonly gapListeners: Listeners<[GapNotice]>;
	readonly #topics = new Map<string, Topic>();
	/** The topics on the server. */
	readonly server: ServerSync;
	readonly #history: ReadHistory;
	readonly #positions: Positions;

	/**
	 * @param gapListeners called with every gap
	 * @param positions from where topics resume
	 */
	constructor(
		failures: Failures,
		gapListeners: Listeners<[GapNotice]>,
		positions: Positions,
		{ due, history }: SubscriptionsOptions,
	) {
		this.#positions = positions;
		this.#failures = failures;
		this.gapListeners = gapListeners;
		this.server = new ServerSync(this.#topics, {
			due,
			gap: (gap) => this.gap(gap),
			confirmed: ({ subscriptions, position }) => {
				for (const handle of subscriptions) void rewind(handle, position, history);
			},
			refused: (topic, fault) => this.#refused(topic, fault),
		});
		this.#history = history;
	}

	/**
	 * Adds a subscription, which is confirmed once the server has confirmed its topic. If an argument is invalid, the
	 * subscription fails with the error.
	 *
	 * @param end the error if the client is closed
	 */
	add(name: string, options: SubscriptionOptions, end: ClientClosedError | undefined): PendingSubscription {
		const handle = new SubscriptionHandle(name, options, this, end);
		if (handle.isOpen) {
			const topic = this.#topics.get(name) ?? this.#create(name);
			topic.subscriptions = [...topic.subscriptions, handle];
			if (topic.isConfirmed) {
				if (!topic.isRewinding) void rewind(handle, topic.position, this.#history);
				if (handle.held === undefined) handle.confirm();
			} else if (topic.saved !== undefined) {
				// A topic that continues from a saved position is not rewound.
				handle.isRewindDue = false;
			}
			this.server.syncSoon();
		}
		return handle.pending;
	}

	#create(name: string): Topic {
		const topic = createTopic(name, this.#positions.take(name));
		this.#topics.set(name, topic);
		return topic;
	}

	/** Removes a topic. A saved position that was not resumed from is kept for the next subscription. */
	#remove({ name, isConfirmed, saved }: Topic): void {
		this.#topics.delete(name);
		if (!isConfirmed) this.#positions.giveBack(name, saved);
	}

	closed(handle: SubscriptionHandle, error?: Error): Promise<void> {
		if (error !== undefined) this.#failures.report(error, 'subscribe');
		const topic = this.#topics.get(handle.topic);
		// If the topic is not the one of this subscription, the subscription has already ended.
		if (topic?.subscriptions.includes(handle) === true) {
			topic.subscriptions = topic.subscriptions.filter((one) => one !== handle);
			if (topic.subscriptions.length === 0) this.#remove(topic);
		}
		return this.server.removed(handle.topic);
	}

	readonly handlerFailed = (error: unknown): void => this.#failures.report(error, 'handler');

	/** The positions of the topics with history that are subscribed to, and those not used yet. */
	get positions(): Record<string, Position> {
		const positions = new Map(this.#positions.unused);
		for (const [name, { position, isRewinding }] of this.#topics) {
			if (position !== undefined && !isRewinding) positions.set(name, position);
		}
		return Object.fromEntries(positions);
	}

	/**
	 * Passes a message to its topic's subscriptions. Returns whether to pass it to other listeners as well. If messages
	 * between the topic's last message and this one are missing, drops this one and requests all of them.
	 */
	deliver(envelope: Envelope): boolean {
		const { topic: name } = envelope;
		const topic = name === undefined ? undefined : this.#topics.get(name);
		if (topic === undefined) return true;
		if (envelope.position !== undefined) {
			const { epoch, offset, prev } = envelope.position;
			const { position: last } = topic;
			if (last === undefined) {
				// Messages that arrive before the confirmation go only to listeners that are not bound to a topic. If the
				// server has confirmed the topic without sending a position, it keeps no history for the topic. The message
				// then comes from a node that does, for example during a deployment, and its order can't be checked.
				if (!this.server.isSubscribed(topic)) return true;
			} else if (epoch !== last.epoch || prev !== last.offset) {
				this.server.resubscribe(topic);
				return false;
			} else {
				topic.position = { epoch, offset };
			}
		}
		for (const subscription of topic.subscriptions) {
			if (!topic.isRewinding || subscription.isRewindDue) subscription.message(envelope);
		}
		this.#reached(topic);
		// After a loss, other listeners may have received the messages of a rewind before.
		return !topic.isRewinding || !topic.isConfirmed;
	}

	/** Called when the server has sent the position of one or more topics. Their messages follow. */
	positioned(notice: PositionNotice): void {
		for (const name of notice.topics) this.#positioned(name, notice);
	}

	#positioned(name: string, notice: PositionNotice): void {
		const { epoch, offset, recovered, count } = notice;
		const topic = this.#topics.get(name);
		// A notice without a count is for subscribers that have a position. It may date from before this topic was
		// requested.
		if (topic?.isRequested !== true || (count ?? topic.position) === undefined) return;
		topic.isPositioned = true;
		topic.position = { epoch, offset };
		if (recovered === false) topic.lostSince = topic.missingSince;
		if (recovered === true) topic.missingSince = topic.lostSince;
		if (count !== undefined) rewindPositioned(topic, notice);
		// If messages are lost, the gap is reported later.
		if (recovered !== false) this.#reached(topic);
	}

	/** Called when the subscriptions have received everything up to the topic's position, except what is held. */
	#reached(topic: Topic): void {
		if (topic.subscriptions.every(({ held }) => held === undefined)) this.#positions.reached(topic);
	}

	/** Passes a gap to the listeners of all gaps, and to its topic's subscriptions. */
	gap(gap: GapNotice): void {
		this.gapListeners.call(gap);
		const topic = this.#topics.get(gap.topic);
		if (topic === undefined) return;
		for (const subscription of topic.subscriptions) subscription.call('onGap', gap);
		this.#reached(topic);
	}

	/** Called when the client stops reconnecting. Rejects the subscriptions that were never confirmed. */
	rejectUnconfirmed(error: ClientClosedError): void {
		for (const topic of this.#topics.values()) {
			if (topic.isConfirmed) continue;
			this.#remove(topic);
			for (const subscription of topic.subscriptions) subscription.fail(error);
		}
	}

	/** Handles the refusal of a topic. Returns whether to request it again later. */
	#refused(topic: Topic, { code, message }: RefusedTopic): boolean {
		const error = new SocketRequestError(`${BuiltIn.subscribe} ${topic.name}`, code, message);
		if (isTransient(code, topic.isConfirmed)) {
			if (!wasNotHandled(code)) this.#failures.report(error, 'subscribe');
			return true;
		}
		this.#remove(topic);
		for (const subscription of topic.subscriptions) subscription.refuse(error);
		if (topic.isConfirmed) this.#failures.report(error, 'subscribe');
		return false;
	}
}
