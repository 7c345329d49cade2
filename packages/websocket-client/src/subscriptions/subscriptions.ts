import {
	BuiltIn,
	type Envelope,
	type ErrorCode,
	type GapNotice,
	MOST_TOPICS,
	type Position,
	type PositionNotice,
	type RefusedTopic,
	type RequestFault,
	SocketRequestError,
	type TopicRequest,
	type TopicsAnswer,
} from '@orijs/websocket/protocol';
import type { Connection } from '../connection/connection.ts';
import { isTopicsAnswer } from '../connection/answers.ts';
import { batches } from './batches.ts';
import { type Deferred, deferred, quiet } from '../deferred.ts';
import type { ClientClosedError } from '../errors.ts';
import type { Failures } from '../failures.ts';
import { gapBetween, missingSince } from './gap-span.ts';
import type { Subscription, SubscriptionHandlers, SubscriptionOptions } from './subscription.ts';

/** One subscription: the same handlers may be used for several. */
interface Entry {
	readonly handlers: SubscriptionHandlers;
}

/** A topic that is wanted. */
interface Wanted {
	readonly subscriptions: Set<Entry>;
	/** Settled when the server has said yes or no for the first time. */
	readonly joined: Deferred<void>;
	wasJoined: boolean;
	/** Since when messages may be missing, by the server's clock. */
	missingSince: number | undefined;
	/** The last message that was delivered, where the topic has history. */
	position: Position | undefined;
	/** How many messages it begins with. */
	readonly rewind: number | undefined;
}

/** How a topic stands with the server, on the present connection. */
type Standing = 'joining' | 'joined' | 'leaving';

/**
 * Refusals that say nothing of the topic: the same may work a moment later. For a topic that was joined before, `unavailable` and the like
 * are among them: what worked once is tried until it works again.
 */
const NOT_HANDLED: readonly ErrorCode[] = ['stopping', 'rate_limited', 'too_many_requests'];
const PASSING: readonly ErrorCode[] = [...NOT_HANDLED, 'unavailable', 'timeout', 'internal'];

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** Keeps the server's view of which topics this client is in the same as what is wanted. */
export class Subscriptions {
	readonly #failures: Failures;
	readonly #onGap: (gap: GapNotice) => void;
	readonly #wanted = new Map<string, Wanted>();
	readonly #standings = new Map<string, Standing>();
	/** Those of which the server has said, since it was asked last, where they stand. */
	readonly #placed = new Set<string>();
	/** Those who wait for a topic to be left. */
	readonly #leaving = new Map<string, Deferred<void>>();
	#connection: Connection | undefined;
	#isDue = false;
	#retries = 0;
	/** Topics that are not asked for before that. */
	readonly #later = new Set<string>();
	#retryTimer: ReturnType<typeof setTimeout> | undefined;
	/** Positions of another client before this one, until their topics are subscribed to. */
	readonly #known: Map<string, Position>;

	/**
	 * @param onGap hears of what may have been missed while there was no connection
	 * @param positions to resume topics from
	 */
	constructor(failures: Failures, onGap: (gap: GapNotice) => void, positions: ReadonlyMap<string, Position>) {
		this.#known = new Map(positions);
		this.#failures = failures;
		this.#onGap = onGap;
	}

	/** Resolves once the server has confirmed. @throws {SocketRequestError} it has refused; {ClientClosedError} */
	add(topic: string, handlers: SubscriptionOptions): Promise<Subscription> {
		let wanted = this.#wanted.get(topic);
		if (wanted === undefined) {
			const position = this.#known.get(topic);
			this.#known.delete(topic);
			wanted = {
				subscriptions: new Set(),
				joined: deferred(),
				wasJoined: false,
				// Since when it was away, nobody knows.
				missingSince: position === undefined ? undefined : 0,
				position,
				rewind: handlers.rewind,
			};
			this.#wanted.set(topic, wanted);
			// Not left yet, but its position is let go: it begins anew.
			if (this.#placed.has(topic) && this.#standings.get(topic) === 'joined') this.#standings.delete(topic);
		}
		const entry = { handlers };
		wanted.subscriptions.add(entry);
		this.#reconcileSoon();
		return quiet(wanted.joined.promise.then(() => ({ topic, close: () => this.#remove(topic, entry) })));
	}

	#remove(topic: string, entry: Entry): Promise<void> {
		const wanted = this.#wanted.get(topic);
		if (wanted?.subscriptions.delete(entry) !== true || wanted.subscriptions.size > 0) {
			return this.#leaving.get(topic)?.promise ?? Promise.resolve();
		}
		this.#wanted.delete(topic);
		if (!this.#standings.has(topic)) return Promise.resolve();
		const left = this.#leaving.get(topic) ?? deferred();
		this.#leaving.set(topic, left);
		this.#reconcileSoon();
		return left.promise;
	}

	/** What it costs to join all topics on a new connection, in messages: ten of one message count as one. */
	get cost(): number {
		const { size } = this.#wanted;
		return Math.ceil(size / 10) + Math.ceil(size / MOST_TOPICS);
	}

	/** Where the topics with history stand: what a later client resumes them from. */
	get positions(): Record<string, Position> {
		const positions = new Map(this.#known);
		for (const [topic, { position }] of this.#wanted) if (position !== undefined) positions.set(topic, position);
		return Object.fromEntries(positions);
	}

	/**
	 * A message came. Returns whether it is one to be heard: not where it does not follow the last one of its topic. Then what is between them is
	 * asked for.
	 */
	deliver(envelope: Envelope): boolean {
		const { topic, position, data } = envelope;
		const wanted = topic === undefined ? undefined : this.#wanted.get(topic);
		if (topic === undefined || wanted === undefined) return true;
		if (position !== undefined) {
			const { position: last } = wanted;
			if (last === undefined) {
				// What comes before the topic was joined is for those who listen to all messages. Once it is, a server that has not said where the
				// topic stands keeps no history of it, but others do, as during a deploy: then nothing tells what follows what.
				if (this.#standings.get(topic) !== 'joined') return true;
			} else if (position.epoch !== last.epoch || position.prev !== last.offset) {
				this.#resume(topic, wanted);
				return false;
			} else {
				wanted.position = { epoch: position.epoch, offset: position.offset };
			}
		}
		this.#tell(topic, (handlers) => handlers.onMessage?.(data, envelope));
		return true;
	}

	/** Something is missing: joins the topic again, from the last message on. */
	#resume(topic: string, wanted: Wanted): void {
		if (this.#standings.get(topic) !== 'joined') return;
		wanted.missingSince ??= missingSince(this.#connection?.provenAt ?? 0);
		this.#standings.delete(topic);
		this.#reconcile();
	}

	/** What comes of a topic from now on follows this position. */
	placed({ topic, epoch, offset, recovered, count = 0 }: PositionNotice): void {
		this.#placed.add(topic);
		const wanted = this.#wanted.get(topic);
		if (wanted === undefined) return;
		wanted.position = { epoch, offset };
		if (recovered === undefined) return;
		if (recovered) wanted.missingSince = undefined;
		this.#tell(topic, (handlers) => handlers.onRecovered?.({ recovered, count }));
	}

	/** Messages may be missing. */
	gap(gap: GapNotice): void {
		this.#tell(gap.topic, (handlers) => handlers.onGap?.(gap));
	}

	/** Not those that are added meanwhile, and not those that are closed. */
	#tell(topic: string, what: (handlers: SubscriptionHandlers) => unknown): void {
		const subscriptions = this.#wanted.get(topic)?.subscriptions ?? new Set<Entry>();
		const all = [...subscriptions];
		for (const entry of all) if (subscriptions.has(entry)) this.#failures.guard(what, entry.handlers);
	}

	/** There is a connection, on which the server knows of no topic. */
	open(connection: Connection): void {
		this.#connection = connection;
		this.#retries = 0;
		this.#reconcile();
	}

	/** There is none any more. */
	lost(provenAt: number | undefined): void {
		this.#connection = undefined;
		clearTimeout(this.#retryTimer);
		this.#retryTimer = undefined;
		this.#later.clear();
		for (const [topic, standing] of this.#standings) {
			const wanted = this.#wanted.get(topic);
			// What was only being joined has missed nothing that was promised.
			if (standing !== 'joined' || wanted === undefined || provenAt === undefined) continue;
			wanted.missingSince ??= missingSince(provenAt);
		}
		this.#standings.clear();
		this.#placed.clear();
		this.#settleLeaving();
	}

	/** Nobody tries to get a connection any more: who waits for the first confirmation of a topic waits no longer. */
	giveUp(error: ClientClosedError): void {
		for (const [topic, { wasJoined, joined }] of this.#wanted) {
			if (wasJoined) continue;
			this.#wanted.delete(topic);
			joined.reject(error);
		}
	}

	/** What is asked for in one go travels together. */
	#reconcileSoon(): void {
		if (this.#isDue) return;
		this.#isDue = true;
		queueMicrotask(() => {
			this.#isDue = false;
			this.#reconcile();
		});
	}

	/** Asks for what is wanted and not there, and leaves what is there and not wanted. What is under way already is left to come. */
	#reconcile(): void {
		this.#settleLeaving();
		this.#confirmWhatIsThere();
		if (this.#connection?.isReady !== true) return;
		const join: TopicRequest[] = [];
		for (const [topic, { position, rewind }] of this.#wanted) {
			if (this.#standings.has(topic) || this.#later.has(topic)) continue;
			join.push({ topic, since: position, rewind: position === undefined ? rewind : undefined });
		}
		const leave: TopicRequest[] = [];
		for (const [topic, standing] of this.#standings) {
			if (standing === 'joined' && !this.#wanted.has(topic) && !this.#later.has(topic)) leave.push({ topic });
		}
		// First those that are left: there may be no room for the others.
		this.#ask(this.#connection, BuiltIn.unsubscribe, leave);
		this.#ask(this.#connection, BuiltIn.subscribe, join);
	}

	/** What was wanted again before it was left is there still. */
	#confirmWhatIsThere(): void {
		for (const [topic, wanted] of this.#wanted) {
			if (wanted.wasJoined || this.#standings.get(topic) !== 'joined') continue;
			wanted.wasJoined = true;
			wanted.joined.resolve();
		}
	}

	#ask(connection: Connection, type: string, all: readonly TopicRequest[]): void {
		for (const requests of batches(all)) {
			const topics = requests.map(({ topic }) => topic);
			for (const topic of topics) {
				this.#standings.set(topic, type === BuiltIn.subscribe ? 'joining' : 'leaving');
				this.#placed.delete(topic);
			}
			const named = requests.map((request) => (isBare(request) ? request.topic : request));
			connection.askBuiltIn(type, { topics: named }).then(
				(answer) =>
					this.#answered(connection, type, topics, isTopicsAnswer(answer) ? answer : allRefused(topics, NONSENSE)),
				(error: SocketRequestError) => this.#answered(connection, type, topics, allRefused(topics, error)),
			);
		}
	}

	#answered(connection: Connection, type: string, topics: readonly string[], answer: TopicsAnswer): void {
		// What the connection's end means for them is settled already.
		if (connection !== this.#connection) return;
		const faults = new Map(answer.refused?.map((fault) => [fault.topic, fault]));
		for (const topic of topics) {
			const fault = faults.get(topic);
			if (type === BuiltIn.subscribe) this.#joined(topic, fault, answer.timestamp);
			else this.#left(topic, fault);
		}
		if (faults.size === 0) this.#retries = 0;
		this.#reconcile();
	}

	#joined(topic: string, fault: RefusedTopic | undefined, timestamp: number): void {
		const wanted = this.#wanted.get(topic);
		if (fault !== undefined) {
			this.#standings.delete(topic);
			if (wanted !== undefined) this.#refused(topic, wanted, fault);
			return;
		}
		this.#standings.set(topic, 'joined');
		if (wanted === undefined) return;
		// A server that says nothing of it keeps no history of the topic.
		if (!this.#placed.has(topic)) wanted.position = undefined;
		const { missingSince } = wanted;
		wanted.missingSince = undefined;
		wanted.wasJoined = true;
		wanted.joined.resolve();
		if (missingSince !== undefined) this.#onGap(gapBetween(topic, missingSince, timestamp));
	}

	#refused(topic: string, wanted: Wanted, { code, message }: RefusedTopic): void {
		const error = new SocketRequestError(`${BuiltIn.subscribe} ${topic}`, code, message);
		if ((wanted.wasJoined ? PASSING : NOT_HANDLED).includes(code)) {
			if (!NOT_HANDLED.includes(code)) this.#failures.report(error, 'subscribe');
			return this.#tryAgainLater(topic);
		}
		this.#wanted.delete(topic);
		if (!wanted.wasJoined) return wanted.joined.reject(error);
		for (const { handlers } of wanted.subscriptions) this.#failures.guard(() => handlers.onRefused?.(error));
		this.#failures.report(error, 'subscribe');
	}

	#left(topic: string, fault: RefusedTopic | undefined): void {
		if (fault === undefined) {
			this.#standings.delete(topic);
			return;
		}
		this.#standings.set(topic, 'joined');
		this.#tryAgainLater(topic);
	}

	/** The topic is left as it is until then. */
	#tryAgainLater(topic: string): void {
		this.#later.add(topic);
		if (this.#retryTimer !== undefined) return;
		const delay = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#retries++);
		this.#retryTimer = setTimeout(() => {
			this.#retryTimer = undefined;
			this.#later.clear();
			this.#reconcile();
		}, delay);
	}

	#settleLeaving(): void {
		for (const [topic, left] of this.#leaving) {
			if (this.#standings.has(topic) && !this.#wanted.has(topic)) continue;
			this.#leaving.delete(topic);
			left.resolve();
		}
	}
}

function isBare({ since, rewind }: TopicRequest): boolean {
	return since === undefined && rewind === undefined;
}

/** What a server has answered that does not know these messages. */
const NONSENSE = {
	code: 'internal',
	message: 'the server answered with something else than PROTOCOL.md says',
} as const;

function allRefused(topics: readonly string[], { code, message }: RequestFault): TopicsAnswer {
	return { timestamp: 0, refused: topics.map((topic) => ({ topic, code, message })) };
}
