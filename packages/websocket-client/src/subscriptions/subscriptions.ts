import {
	type AnsweredAt,
	BuiltIn,
	type Envelope,
	type GapNotice,
	type Position,
	type PositionNotice,
	type RequestFault,
	SocketRequestError,
} from '@orijs/websocket/protocol';
import { LONG_AGO, type ServerTime } from '../connection/server-time.ts';
import type { ClientClosedError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import type { Positions } from '../positions/positions.ts';
import type { Listeners } from '../support/listeners.ts';
import { type ReadHistory, confirm } from './rewinds.ts';
import { ServerSync, type ServerTopicsEvents } from './server-sync.ts';
import { SubscriptionHandle, type SubscriptionOwner } from './subscription-handle.ts';
import type { PendingSubscription, SubscriptionOptions } from './subscription.ts';
import { ToldGaps } from './told-gaps.ts';
import type { Topic } from './topic.ts';

/** Manages the application's subscriptions, and passes messages and gaps to them. */
export class Subscriptions implements SubscriptionOwner, ServerTopicsEvents {
	readonly failures: Failures;
	readonly gaps: Listeners<[GapNotice]>;
	readonly #topics = new Map<string, Topic>();
	/** The topics on the server. */
	readonly server: ServerSync;
	readonly due: () => void;
	readonly #history: ReadHistory;
	readonly #positions: Positions;
	readonly #told = new ToldGaps();

	/**
	 * @param gaps called with every gap
	 * @param positions from where topics resume
	 * @param due called when there are topics to request
	 */
	constructor(
		failures: Failures,
		gaps: Listeners<[GapNotice]>,
		positions: Positions,
		due: () => void,
		history: ReadHistory,
	) {
		this.#positions = positions;
		this.failures = failures;
		this.gaps = gaps;
		this.due = due;
		this.#history = history;
		this.server = new ServerSync(this.#topics, this);
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
			let topic = this.#topics.get(name);
			if (!topic) {
				const saved = this.#positions.of(name);
				// It is unknown how long ago an earlier client saved the position.
				topic = { name, handles: [], saved, position: saved, missingSince: saved && LONG_AGO };
				this.#topics.set(name, topic);
			}
			topic.handles = [...topic.handles, handle];
			if (topic.isConfirmed) {
				// During another rewind, it is confirmed later, when it has its own messages.
				if (!topic.isRewinding || !handle.isRewindDue) this.#confirm(handle, topic);
			} else if (topic.saved) {
				// A topic that continues from a saved position is not rewound.
				handle.isRewindDue = false;
			}
			this.server.syncSoon();
		}
		return handle.pending;
	}

	#confirm(handle: SubscriptionHandle, topic: Topic): void {
		void confirm(handle, topic.position, this.#history, () => handle.isOpen && this.#positions.reached(topic));
	}

	closed(handle: SubscriptionHandle): Promise<void> {
		// A later topic of the same name does not have this subscription.
		const topic = this.#topics.get(handle.topic);
		if (topic) {
			topic.handles = topic.handles.filter((one) => one !== handle);
			if (!topic.handles.length) this.#topics.delete(topic.name);
		}
		return this.server.removed(handle.topic);
	}

	/** The positions of the topics with history that are subscribed to, and those not used yet. */
	get positions(): Record<string, Position> {
		const positions = new Map(this.#positions.unused);
		for (const topic of this.#topics.values()) {
			if (topic.position && !topic.isRewinding) positions.set(topic.name, topic.position);
		}
		return Object.fromEntries(positions);
	}

	/**
	 * Passes a message to its topic's subscriptions. Returns whether to pass it to other listeners as well. If messages
	 * between the topic's last message and this one are missing, drops this one and requests all of them.
	 */
	deliver(envelope: Envelope): boolean {
		const topic = this.#topics.get(envelope.topic as string);
		if (!topic) return true;
		if (envelope.position) {
			const { epoch, offset, prev } = envelope.position;
			const last = topic.position;
			if (!last) {
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
		for (const subscription of topic.handles) {
			if (!topic.isRewinding || subscription.isRewindDue) subscription.message(envelope);
		}
		this.#positions.reached(topic);
		// After a loss, other listeners may have received the messages of a rewind before.
		return !topic.isRewinding || !topic.isConfirmed;
	}

	/** Called when the server has sent the position of one or more topics. Their messages follow. */
	positioned(notice: PositionNotice): void {
		const { topics, epoch, offset, recovered, count } = notice;
		for (const name of topics) {
			const topic = this.#topics.get(name);
			// A notice without a count is for subscribers that have a position. It may date from before this topic was
			// requested.
			if (!topic?.isRequested || (count === undefined && !topic.position)) continue;
			topic.isPositioned = true;
			topic.position = { epoch, offset };
			if (count !== undefined) {
				topic.isRewinding = notice.rewinding;
				if (recovered !== undefined) {
					for (const handle of topic.handles) {
						if (!recovered && handle.options.rewind) {
							handle.release(handle.held);
							handle.isRewindDue = true;
							if (topic.isRewinding) handle.held = [];
						}
						handle.call('onRecovered', { recovered, count });
					}
				}
			}
			if (recovered) topic.missingSince = topic.lostSince;
			// If messages are lost, the gap is reported later.
			if (recovered === false) topic.lostSince = topic.missingSince;
			else this.#positions.reached(topic);
		}
	}

	/** Called when messages between two connections may be missing. */
	missed(topic: string, last: ServerTime, now: AnsweredAt): void {
		this.gap(this.#told.between(topic, last, now));
	}

	/** Called when the server has answered a ping. */
	answered(answer: AnsweredAt): void {
		for (const gap of this.#told.learned(answer)) this.gap(gap);
	}

	/** Passes a gap to the listeners of all gaps, and to its topic's subscriptions. */
	gap(gap: GapNotice): void {
		this.gaps.call(gap);
		const topic = this.#topics.get(gap.topic);
		if (!topic) return;
		for (const subscription of topic.handles) subscription.call('onGap', gap);
		this.#positions.reached(topic);
	}

	/** Called when the client stops reconnecting. Rejects the subscriptions that were never confirmed. */
	rejectUnconfirmed(error: ClientClosedError): void {
		for (const { handles, isConfirmed } of this.#topics.values()) {
			for (const handle of handles) {
				const isRewinding = handle.options.rewind && !handle.isConfirmed;
				if (!isConfirmed || isRewinding) void handle.fail(error);
			}
		}
	}

	confirmed(topic: Topic): void {
		this.#positions.unused.delete(topic.name);
		for (const handle of topic.handles) this.#confirm(handle, topic);
	}

	refused(topic: Topic, { code, message }: RequestFault): boolean | undefined {
		const error = new SocketRequestError(`${BuiltIn.subscribe} ${topic.name}`, code, message);
		// A refusal of a request that was not examined does not concern the topic, and is not reported.
		if (/^(stopping|rate_limited|too_many_requests)$/.test(code)) return true;
		const rewinding = topic.handles.filter(({ options }) => options.rewind);
		if (code === 'invalid_data' && rewinding.length && rewinding.length < topic.handles.length) {
			// The topic has no history. The other subscriptions don't need one, so it is requested again for them.
			for (const handle of rewinding) handle.break(error);
			return false;
		}
		// If the topic was confirmed before, it is also requested again after failures of the server.
		const isTransient = topic.isConfirmed && /^(unavailable|timeout|internal)$/.test(code);
		if (!isTransient) {
			this.#topics.delete(topic.name);
			for (const handle of topic.handles) handle.refuse(error);
		}
		if (topic.isConfirmed) this.failures.report(error, 'subscribe');
		return isTransient;
	}
}
