import {
	InvalidPresenceInfoError,
	NotPresentError,
	type SocketPresence,
	type WatchedMembers,
	type WatchOptions,
} from '@orijs/websocket';
import {
	type ClientMessage,
	encodeAnswer,
	MessageValidationError,
	type RequestFault,
	type UpdateRequest,
	type WatchAnswer,
} from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { LargeAnswers } from './large-answers.ts';
import type { MaybePromise } from './maybe-promise.ts';
import type { PresenceControl } from './presence-control.ts';
import type { Watch } from './presence-watches.ts';
import {
	readUnwatchRequest,
	readUpdateRequest,
	readWatchRequest,
	UNWATCH_RULE,
	UPDATE_RULE,
	WATCH_RULE,
} from './read-presence-requests.ts';
import { LEFT, READS_TOO_SLOWLY, tooManyTopics } from './refusal-texts.ts';
import { sendRefusal } from './send-refusal.ts';
import type { SubscriptionServices } from './subscription-requests.ts';
import { refuseIfTooMany } from './too-many-requests.ts';
import { type Decision, isAllowed, MEMBER, NotAuthorized } from './topic-authorizer.ts';
import { topicFault } from './topic-fault.ts';
import { whenDecided } from './when-decided.ts';

export interface PresenceServices extends SubscriptionServices {
	readonly presence: PresenceControl;
}

/** A valid request, until it is answered. */
interface Accepted {
	readonly type: string;
	readonly correlationId: string | undefined;
	readonly topic: string;
	/** When its turn came (monotonic clock, in milliseconds). */
	readonly takenAt: number;
}

interface WatchAccepted extends Accepted, WatchOptions {}

/** Handles the `@watch`, `@unwatch` and `@update` requests of clients. */
export class PresenceRequests {
	readonly #services: PresenceServices;
	readonly #answers: LargeAnswers;
	readonly #faults: FaultLog;

	constructor(services: PresenceServices, answers: LargeAnswers) {
		this.#services = services;
		this.#answers = answers;
		this.#faults = new FaultLog(services.logger);
	}

	get #presence(): SocketPresence {
		return this.#services.provider.socketPresence;
	}

	/**
	 * Sends a client who is in a topic, then what changes; or a further page of that. The turn ends once the client is
	 * authorized or refused. The answers of one client are made one at a time.
	 */
	watch(session: Session, message: ClientMessage): void {
		const takenAt = this.#services.events?.now() ?? 0;
		const { type, correlationId } = message;
		const read = readWatchRequest(message.data);
		if (read === undefined) return this.#invalid(session, message, WATCH_RULE);
		if (refuseIfTooMany(session, message, this.#services)) return;
		const { topic, after } = read;
		const request: WatchAccepted = { type, correlationId, topic, takenAt, isCountOnly: read.isCountOnly };
		whenDecided(session, {
			type,
			ask: () => [this.#decide(session, topic)],
			proceed: ([decision]) => {
				const decided = decision as Decision;
				if (!isAllowed(decided)) this.#forbidden(session, request, decided);
				else if (after === undefined) this.#begin(session, request);
				else this.#answers.add(session, (hasRoom) => this.#answerPage(session, request, after, hasRoom));
			},
		});
	}

	/** The application is not asked about a client that watches the topic already: it may, until it is asked again. */
	#decide(session: Session, topic: string): MaybePromise<Decision> {
		const { watches, authorizer } = this.#services.presence;
		if (!this.#presence.isKept(topic)) return notKept(topic);
		if (!this.#presence.isWatchable(topic)) return notWatchable(topic);
		if (watches.has(session, topic)) return MEMBER;
		if (authorizer !== undefined) return authorizer.decide(session, topic);
		return session.topics.has(topic) ? MEMBER : notSubscribed(topic);
	}

	#forbidden(session: Session, request: Accepted, fault: RequestFault): void {
		const { socketId } = session;
		if (fault instanceof NotAuthorized) this.#services.refusals.add('forbidden', { socketId, topic: request.topic });
		this.#refuse(session, request, fault);
	}

	#begin(session: Session, request: WatchAccepted): void {
		const { limits, refusals, presence } = this.#services;
		const { topic } = request;
		if (session.state === 'closed') return this.#done(session, request, LEFT);
		const watch = presence.watches.begin(session, topic);
		if (watch === undefined) {
			refusals.add('topics', { socketId: session.socketId, topic });
			const message = tooManyTopics(limits.topicsPerSocket);
			return this.#refuse(session, request, { code: 'too_many_topics', message });
		}
		this.#answers.add(session, (hasRoom) => this.#answerWatch(request, watch, hasRoom));
	}

	/** Never rejects. */
	async #answerWatch(request: WatchAccepted, watch: Watch, hasRoom: boolean): Promise<void> {
		const { session } = watch;
		const fault = hasRoom ? await this.#show(request, watch) : this.#readsTooSlowly(session, request);
		if (fault === undefined) return this.#done(session, request, undefined);
		// One that was active before still is.
		if (!watch.isActive && watch.endedBy === undefined)
			this.#services.presence.watches.end(session, watch.topic, fault);
		this.#refuse(session, request, fault);
	}

	/** Sends the members, from which on the client is sent what changes. Resolves with why it was not. Never rejects. */
	async #show(request: WatchAccepted, watch: Watch): Promise<RequestFault | undefined> {
		const { type, correlationId } = request;
		const { session, topic } = watch;
		if (watch.endedBy !== undefined) return watch.endedBy;
		let isShown = false;
		try {
			const answer = (members: WatchedMembers): void => {
				if (watch.endedBy !== undefined) return;
				watch.isActive = true;
				isShown = true;
				if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, answerOf(topic, members)));
			};
			await this.#presence.watch(session.socketId, topic, answer, request);
		} catch (err) {
			return watch.endedBy ?? topicFault(this.#faults, { operation: 'watch', session, topic, err });
		}
		if (isShown) return undefined;
		// It was ended while the members were read, which may have been too early to stop it.
		this.#presence.unwatch(session.socketId, topic);
		return watch.endedBy ?? LEFT;
	}

	#answerPage(session: Session, request: Accepted, after: string, hasRoom: boolean): void {
		const { type, correlationId, topic } = request;
		if (!hasRoom) return this.#refuse(session, request, this.#readsTooSlowly(session, request));
		if (session.state === 'closed') return this.#done(session, request, LEFT);
		const members = this.#presence.page(session.socketId, topic, after);
		if (members === undefined) return this.#refuse(session, request, noPage(topic));
		if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, answerOf(topic, members)));
		this.#done(session, request, undefined);
	}

	#readsTooSlowly({ socketId }: Session, { type }: Accepted): RequestFault {
		this.#services.refusals.add('handlerTimeout', { socketId, type });
		return READS_TOO_SLOWLY;
	}

	/** Ends a watch at once, also one whose request has not been answered yet: that is then refused. */
	unwatch(session: Session, message: ClientMessage): void {
		const takenAt = this.#services.events?.now() ?? 0;
		const { type, correlationId } = message;
		const read = readUnwatchRequest(message.data);
		if (read === undefined) return this.#invalid(session, message, UNWATCH_RULE);
		const { topic } = read;
		this.#services.presence.watches.end(session, topic, UNWATCHED);
		if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, {}));
		this.#done(session, { type, correlationId, topic, takenAt }, undefined);
	}

	/** Changes what a client adds to its own info. */
	update(session: Session, message: ClientMessage): void {
		const takenAt = this.#services.events?.now() ?? 0;
		const { type, correlationId } = message;
		const read = readUpdateRequest(message.data);
		if (read === undefined) return this.#invalid(session, message, UPDATE_RULE);
		const { topic } = read;
		const request: Accepted = { type, correlationId, topic, takenAt };
		const fault = this.#update(session, read);
		if (fault !== undefined) return this.#refuse(session, request, fault);
		if (correlationId !== undefined) session.send(encodeAnswer(type, correlationId, {}));
		this.#done(session, request, undefined);
	}

	/** Returns why the info was not changed; undefined if it was. */
	#update(session: Session, { topic, info }: UpdateRequest): RequestFault | undefined {
		const { refusals, presence } = this.#services;
		const { socketId } = session;
		if (!this.#presence.isKept(topic)) return notKept(topic);
		if (!session.topics.has(topic)) return notSubscribed(topic);
		if (!presence.rates.take(session, topic)) {
			refusals.add('rate', { socketId, topic });
			return { code: 'rate_limited', message: `Too many changes of your info in ${topic}` };
		}
		try {
			this.#presence.setOwnInfo(socketId, topic, presence.infos.ownInfo(session, topic, info));
			return undefined;
		} catch (err) {
			if (err instanceof NotPresentError) return notSubscribed(topic);
			const isInvalid = err instanceof InvalidPresenceInfoError || err instanceof MessageValidationError;
			if (!isInvalid) return topicFault(this.#faults, { operation: 'update', session, topic, err });
			refusals.add('data', { socketId, type: '@update' });
			const isTooLarge = err instanceof InvalidPresenceInfoError && err.code === 'too_large';
			return { code: isTooLarge ? 'too_large' : 'invalid_data', message: err.message };
		}
	}

	#invalid(session: Session, message: ClientMessage, rule: string): void {
		const { refusals, events } = this.#services;
		refusals.add('data', { socketId: session.socketId, type: message.type });
		sendRefusal(session, message, 'invalid_data', rule);
		events?.refused(session, message, 'invalid_data');
	}

	#refuse(session: Session, request: Accepted, fault: RequestFault): void {
		sendRefusal(session, request, fault.code, fault.message);
		this.#done(session, request, fault);
	}

	#done(session: Session, request: Accepted, fault: RequestFault | undefined): void {
		this.#services.events?.topicDone(session, request, request.topic, request.takenAt, fault);
	}
}

const UNWATCHED: RequestFault = { code: 'closed', message: 'The watch was ended by @unwatch' };

function answerOf(topic: string, watched: WatchedMembers): WatchAnswer {
	const { version, count, members, hasMore, isStale, areMembersKnown } = watched;
	return {
		topic,
		version,
		count,
		members: areMembersKnown ? members : undefined,
		hasMore: hasMore ? true : undefined,
		isStale: isStale ? true : undefined,
	};
}

function notKept(topic: string): RequestFault {
	return { code: 'not_kept', message: `The presence of ${topic} is not kept` };
}

function notWatchable(topic: string): RequestFault {
	return { code: 'not_watchable', message: `The presence of ${topic} is kept, but its changes are not told` };
}

function notSubscribed(topic: string): RequestFault {
	return { code: 'not_subscribed', message: `You are not subscribed to ${topic}` };
}

function noPage(topic: string): RequestFault {
	return { code: 'not_watched', message: `You don't watch ${topic}, or only its count is known; watch it again` };
}
