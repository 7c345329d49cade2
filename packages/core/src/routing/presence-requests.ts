import { InvalidPresenceInfoError, NotPresentError, type SocketPresence, type WatchedMembers } from '@orijs/websocket';
import {
	type ClientMessage,
	MessageValidationError,
	type RequestFault,
	type UpdateRequest,
	type WatchAnswer,
	type WatchRequest,
} from '@orijs/websocket/protocol';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import { AcceptedRequest } from './accepted-request.ts';
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
import type { SubscriptionServices } from './subscription-requests.ts';
import { refuseIfTooMany } from './too-many-requests.ts';
import { type Decision, isAllowed, MEMBER } from './topic-authorizer.ts';
import { topicFault } from './topic-fault.ts';
import { whenDecided } from './when-decided.ts';

export interface PresenceServices extends SubscriptionServices {
	readonly presence: PresenceControl;
}

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
		const request = AcceptedRequest.of(this.#services, session, message, WATCH);
		if (request === undefined || refuseIfTooMany(session, message, this.#services)) return;
		const { topic, after } = request.query;
		whenDecided(session, {
			type: request.type,
			ask: () => [this.#decide(session, topic)],
			proceed: ([decision]) => {
				const decided = decision as Decision;
				if (!isAllowed(decided)) request.refuse(decided);
				else if (after === undefined) this.#begin(request);
				else this.#answers.add(session, (hasRoom) => this.#answerPage(request, after, hasRoom));
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

	#begin(request: AcceptedRequest<WatchRequest>): void {
		const { limits, refusals, presence } = this.#services;
		const { session, topic } = request;
		if (session.state === 'closed') return request.done(LEFT);
		const watch = presence.watches.begin(session, topic);
		if (watch === undefined) {
			refusals.add('topics', { socketId: session.socketId, topic });
			return request.refuse({ code: 'too_many_topics', message: tooManyTopics(limits.topicsPerSocket) });
		}
		this.#answers.add(session, (hasRoom) => this.#answerWatch(request, watch, hasRoom));
	}

	/** Never rejects. */
	async #answerWatch(request: AcceptedRequest<WatchRequest>, watch: Watch, hasRoom: boolean): Promise<void> {
		const fault = hasRoom ? await this.#show(request, watch) : READS_TOO_SLOWLY;
		if (fault === undefined) return request.done();
		// One that was active before still is.
		if (!watch.isActive && watch.endedBy === undefined)
			this.#services.presence.watches.end(watch.session, watch.topic, fault);
		if (hasRoom) request.refuse(fault);
		else request.refuseSlowReader();
	}

	/** Sends the members, from which on the client is sent what changes. Resolves with why it was not. Never rejects. */
	async #show(request: AcceptedRequest<WatchRequest>, watch: Watch): Promise<RequestFault | undefined> {
		const { session, topic } = watch;
		if (watch.endedBy !== undefined) return watch.endedBy;
		let isShown = false;
		const answer = (members: WatchedMembers): void => {
			if (watch.endedBy !== undefined) return;
			watch.isActive = true;
			isShown = true;
			request.answer(answerOf(topic, members));
		};
		try {
			await this.#presence.watch(session.socketId, topic, answer, request.query);
		} catch (err) {
			return watch.endedBy ?? topicFault(this.#faults, { operation: 'watch', session, topic, err });
		}
		if (isShown) return undefined;
		// It was ended while the members were read, which may have been too early to stop it.
		this.#presence.unwatch(session.socketId, topic);
		return watch.endedBy ?? LEFT;
	}

	#answerPage(request: AcceptedRequest, after: string, hasRoom: boolean): void {
		const { session, topic } = request;
		if (!hasRoom) return request.refuseSlowReader();
		if (session.state === 'closed') return request.done(LEFT);
		const members = this.#presence.page(session.socketId, topic, after);
		if (members === undefined) return request.refuse(noPage(topic));
		request.answer(answerOf(topic, members));
		request.done();
	}

	/** Ends a watch at once, also one whose request has not been answered yet: that is then refused. */
	unwatch(session: Session, message: ClientMessage): void {
		const request = AcceptedRequest.of(this.#services, session, message, UNWATCH);
		if (request === undefined) return;
		this.#services.presence.watches.end(session, request.topic, UNWATCHED);
		request.answer({});
		request.done();
	}

	/** Changes what a client adds to its own info. */
	update(session: Session, message: ClientMessage): void {
		const request = AcceptedRequest.of(this.#services, session, message, UPDATE);
		if (request === undefined) return;
		const fault = this.#update(session, request.query);
		if (fault !== undefined) return request.refuse(fault);
		request.answer({});
		request.done();
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
}

const WATCH = { read: readWatchRequest, rule: WATCH_RULE };
const UNWATCH = { read: readUnwatchRequest, rule: UNWATCH_RULE };
const UPDATE = { read: readUpdateRequest, rule: UPDATE_RULE };

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
