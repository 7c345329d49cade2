import {
	type AnsweredAt,
	BuiltIn,
	type Envelope,
	type GapNotice,
	type Position,
	type PositionNotice,
	type RequestFault,
	SocketRequestError,
	type SubscribedNotice,
	type UnsubscribedNotice,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { LONG_AGO, type ServerTime } from '../connection/server-time.ts';
import type { ClientClosedError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import type { Positions } from '../positions/positions.ts';
import type { Listeners } from '../support/listeners.ts';
import { type ReadHistory, confirm } from './rewinds.ts';
import { ServerSync, type ServerTopicsEvents } from './server-sync.ts';
import { SubscriptionHandle, type SubscriptionOwner } from './subscription-handle.ts';
import type { PendingSubscription, Recovered, RecoveredTopic, SubscriptionOptions } from './subscription.ts';
import { ToldGaps } from './told-gaps.ts';
import type { Topic } from './topic.ts';
import { Topics } from './topics.ts';

/** The `topic` of gaps in messages to this client or to all clients. */
const THIS_CLIENT = '*';

/** Manages the client's topics and the application's subscriptions, and passes messages and gaps to them. */
export class Subscriptions implements SubscriptionOwner, ServerTopicsEvents {
	readonly failures: Failures;
	readonly gaps: Listeners<[GapNotice]>;
	readonly recoveries: Listeners<[RecoveredTopic]>;
	readonly topics: Topics;
	/** The topics on the server. */
	readonly server: ServerSync;
	readonly due: () => void;
	readonly #history: ReadHistory;
	readonly #moved: (topic: string, isIn: boolean) => void;
	readonly #positions: Positions;
	readonly #told = new ToldGaps();
	/** The time since which messages to this client may be missing. */
	#missingSince: ServerTime | undefined;

	/**
	 * @param positions from where topics resume
	 * @param due called when there are topics to request
	 * @param moved called when the server has confirmed a topic, and when the client may have left one
	 */
	constructor(
		failures: Failures,
		positions: Positions,
		due: () => void,
		history: ReadHistory,
		moved: (topic: string, isIn: boolean) => void,
	) {
		this.#positions = positions;
		this.failures = failures;
		this.gaps = failures.listeners();
		this.recoveries = failures.listeners();
		this.topics = new Topics(failures, positions);
		this.due = due;
		this.#history = history;
		this.#moved = moved;
		this.server = new ServerSync(this.topics.all, this);
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
			const topic = this.topics.all.get(name) ?? this.topics.begin(name);
			topic.handles = [...topic.handles, handle];
			if (topic.isConfirmed) {
				this.topics.update(topic);
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
		const topic = this.topics.all.get(handle.topic);
		if (topic) {
			topic.handles = topic.handles.filter((one) => one !== handle);
			if (!topic.handles.length && !topic.chosenOn) this.topics.all.delete(topic.name);
			this.topics.update(topic);
		}
		return this.server.removed(handle.topic);
	}

	/** Called when a connection is ready, before anything is sent on it. */
	open(connection: Connection): void {
		this.topics.open(connection);
		this.server.open(connection);
	}

	/** Called when the connection may be used. */
	opened(answer: AnsweredAt): void {
		const since = this.#missingSince;
		this.#missingSince = undefined;
		this.topics.opened();
		if (since) this.missed(THIS_CLIENT, since, answer);
	}

	/** Called when a connection has been lost. @param wasReady otherwise, no message to this client was promised */
	shut(connection: Connection, wasReady: boolean): void {
		if (wasReady) this.#missingSince ??= connection.proven;
		this.topics.shut();
		this.server.shut(connection);
	}

	/** Called for a notice of the server. */
	notice(connection: Connection, type: string, data: unknown): void {
		if (type === BuiltIn.gap) this.gap(data as GapNotice);
		else if (type === BuiltIn.position) this.#positioned(data as PositionNotice);
		else if (type === BuiltIn.subscribed) this.#subscribed(connection, data as SubscribedNotice);
		else this.#unsubscribed(data as UnsubscribedNotice);
	}

	/** Called when the server has subscribed the client by its own decision. */
	#subscribed(connection: Connection, notice: SubscribedNotice): void {
		connection.prove(notice);
		for (const { topic: name, position, since } of notice.topics) {
			// A listener may have called `close()`.
			if (!connection.isOpen) return;
			const topic = this.topics.choose(name, connection);
			if (since !== undefined) topic.missingSince ??= { ...LONG_AGO, timestamp: since };
			const last = topic.position;
			const isKnown = last && position;
			const isInStep = !isKnown || (last.epoch === position.epoch && last.offset === position.offset);
			if (this.server.chosen(topic, isInStep)) {
				topic.isChosenSince = true;
				topic.removal = undefined;
				continue;
			}
			if (!isInStep) continue;
			topic.position = position;
			// A rewind that had begun on an earlier connection is read from the history.
			for (const handle of topic.handles) if (handle.isRewindDue) handle.held = undefined;
			if (isKnown && topic.missingSince) {
				topic.missingSince = topic.lostSince;
				this.#recovered(topic, { recovered: true, count: 0 });
			}
			this.#positions.reached(topic);
			if (topic.isRequested) this.server.settle(topic, notice);
		}
	}

	/** Called when the server has unsubscribed the client. */
	#unsubscribed({ topics }: UnsubscribedNotice): void {
		for (const fault of topics) {
			const topic = this.topics.all.get(fault.topic);
			const wasSubscribed = this.server.left(fault.topic);
			if (topic) {
				topic.chosenOn = topic.isChosenSince = undefined;
				topic.removal = fault;
				if (!topic.handles.length || (wasSubscribed && topic.isConfirmed)) this.#end(topic, fault);
				else this.topics.update(topic);
			}
			this.left(fault.topic);
		}
	}

	/** Called when the client may have left a topic. */
	left(topic: string): void {
		this.#moved(topic, false);
	}

	/** Returns whether the client is to be in a topic, and the server has not confirmed or refused that yet. */
	isComing(name: string): boolean {
		const topic = this.topics.all.get(name);
		return !!topic && !this.server.isSubscribed(topic);
	}

	/**
	 * Ends a topic whose request is refused, if that ends what was confirmed on this connection. Returns whether it
	 * does.
	 */
	#endIfSubscribed(topic: Topic, fault: RequestFault): boolean {
		const wasSubscribed = !!topic.isConfirmed && this.server.left(topic.name);
		if (wasSubscribed) {
			this.#end(topic, fault);
			this.left(topic.name);
		}
		return wasSubscribed;
	}

	/** Ends a topic from which the server has unsubscribed the client. */
	#end(topic: Topic, fault: RequestFault): void {
		this.topics.all.delete(topic.name);
		this.topics.update(topic, fault);
		for (const handle of topic.handles) handle.unsubscribed(fault);
	}

	#recovered(topic: Topic, outcome: Recovered): void {
		this.recoveries.call({ topic: topic.name, ...outcome });
		for (const handle of topic.handles) handle.call('onRecovered', outcome);
	}

	/** The positions of the topics with history that are subscribed to, and those not used yet. */
	get positions(): Record<string, Position> {
		const positions = new Map(this.#positions.unused);
		for (const topic of this.topics.all.values()) {
			if (topic.position && !topic.isRewinding) positions.set(topic.name, topic.position);
		}
		return Object.fromEntries(positions);
	}

	/**
	 * Passes a message to its topic's subscriptions. Returns whether to pass it to other listeners as well. If messages
	 * between the topic's last message and this one are missing, drops this one and requests all of them.
	 */
	deliver(envelope: Envelope): boolean {
		const topic = this.topics.all.get(envelope.topic as string);
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
	#positioned(notice: PositionNotice): void {
		const { topics, epoch, offset, recovered, count } = notice;
		for (const name of topics) {
			const topic = this.topics.all.get(name);
			if (!topic?.isRequested) continue;
			// A notice without a count is for subscribers that have a position. It may date from before this topic was
			// requested; then the messages after the requested position are still to come.
			const isOwn = topic.isPositioned || this.server.isSubscribed(topic);
			if (count === undefined && !(topic.position && isOwn)) continue;
			topic.isPositioned = true;
			topic.position = { epoch, offset };
			if (recovered) topic.missingSince = topic.lostSince;
			// If messages are lost, the gap is reported later.
			if (recovered === false) topic.lostSince = topic.missingSince;
			if (count !== undefined) {
				topic.isRewinding = notice.rewinding;
				if (recovered !== undefined) {
					for (const handle of topic.handles) {
						if (recovered || !handle.options.rewind) continue;
						handle.release(handle.held);
						handle.isRewindDue = true;
						if (topic.isRewinding) handle.held = [];
					}
					this.#recovered(topic, { recovered, count });
				}
			}
			if (recovered !== false) this.#positions.reached(topic);
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
		const topic = this.topics.all.get(gap.topic);
		if (!topic) return;
		for (const subscription of topic.handles) subscription.call('onGap', gap);
		this.#positions.reached(topic);
	}

	/** Called when the client stops reconnecting. Rejects the subscriptions that were never confirmed. */
	rejectUnconfirmed(error: ClientClosedError): void {
		for (const { handles, isConfirmed } of this.topics.all.values()) {
			for (const handle of handles) {
				const isRewinding = handle.options.rewind && !handle.isConfirmed;
				if (!isConfirmed || isRewinding) void handle.fail(error);
			}
		}
	}

	confirmed(topic: Topic): void {
		this.#positions.unused.delete(topic.name);
		this.topics.update(topic);
		for (const handle of topic.handles) this.#confirm(handle, topic);
		this.#moved(topic.name, true);
	}

	refused(topic: Topic, { code, message }: RequestFault): boolean | undefined {
		const error = new SocketRequestError(`${BuiltIn.subscribe} ${topic.name}`, code, message);
		// A refusal of a request that was not examined does not concern the topic, and is not reported.
		if (/^(stopping|rate_limited|too_many_requests)$/.test(code))
			return !topic.removal || !this.#endIfSubscribed(topic, topic.removal);
		const { handles, isChosenSince } = topic;
		const rewinding = handles.filter(({ options }) => options.rewind);
		if (code === 'invalid_data' && rewinding.length && (isChosenSince || rewinding.length < handles.length)) {
			// The topic has no history. The other subscriptions don't need one, so it is requested again for them.
			for (const handle of rewinding) handle.break(error);
			return false;
		}
		// If the client was in the topic before, it is also requested again after failures of the server.
		const isTransient = (topic.isConfirmed || topic.chosenOn) && /^(unavailable|timeout|internal)$/.test(code);
		if (!isTransient) {
			// The server refused the client's wish, and has subscribed it nevertheless. Asked again, it confirms that.
			if (isChosenSince) return false;
			if (this.#endIfSubscribed(topic, { code, message })) return false;
			this.topics.all.delete(topic.name);
			this.topics.update(topic, { code, message });
			for (const handle of topic.handles) handle.refuse(error);
			this.left(topic.name);
		}
		if (topic.isConfirmed) this.failures.report(error, 'subscribe');
		return isTransient;
	}
}
