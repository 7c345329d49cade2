import type { SocketPresence } from '@orijs/websocket';
import { encodeUnwatchedNotice, type RequestFault } from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import { DecisionsInTime } from './decisions-in-time.ts';
import type { PresenceAuthorizer } from './presence-authorizer.ts';
import { isAllowed } from './topic-authorizer.ts';

/** A client that watches a topic's members, or has been allowed to and waits for them. */
export interface Watch {
	readonly session: Session;
	readonly topic: string;
	/** Whether it has been sent the members, and is sent what changes. */
	isActive: boolean;
	/** Why it has ended; undefined while it has not. */
	endedBy: RequestFault | undefined;
	/** What the application is being asked; only the answer to the latest question counts. */
	question: Question | undefined;
}

/** Whether a client may still watch. */
interface Question {
	readonly watch: Watch;
}

export interface PresenceWatchesServices {
	readonly presence: Pick<SocketPresence, 'unwatch'>;
	readonly limits: Pick<AllLimits, 'handlerTimeoutMs' | 'topicsPerSocket'>;
	readonly refusals: Refusals;
	/** Undefined if clients may see who is in the topics that they are in. */
	readonly authorizer: PresenceAuthorizer | undefined;
}

/** The topics whose members clients watch, each until it leaves the topic, or the application no longer allows it. */
export class PresenceWatches {
	readonly #services: PresenceWatchesServices;
	/** By topic. Has only sessions that watch any. */
	readonly #watches = new WeakMap<Session, Map<string, Watch>>();
	readonly #decisions: DecisionsInTime<Question>;

	constructor(services: PresenceWatchesServices) {
		this.#services = services;
		const { limits, refusals } = services;
		this.#decisions = new DecisionsInTime(limits.handlerTimeoutMs, ({ watch: { session, topic } }) =>
			refusals.add('handlerTimeout', { socketId: session.socketId, topic }),
		);
	}

	has(session: Session, topic: string): boolean {
		return this.#watches.get(session)?.has(topic) === true;
	}

	/** Returns the watch of a client that may see who is in a topic; undefined if it watches too many others. */
	begin(session: Session, topic: string): Watch | undefined {
		let watches = this.#watches.get(session);
		const watch = watches?.get(topic);
		if (watch !== undefined) return watch;
		if ((watches?.size ?? 0) >= this.#services.limits.topicsPerSocket) return undefined;
		if (watches === undefined) this.#watches.set(session, (watches = new Map<string, Watch>()));
		const begun: Watch = { session, topic, isActive: false, endedBy: undefined, question: undefined };
		watches.set(topic, begun);
		return begun;
	}

	/** Ends a watch, if there is one. Its request, if it has not been answered yet, is refused with `endedBy`. */
	end(session: Session, topic: string, endedBy: RequestFault): void {
		const watch = this.#watches.get(session)?.get(topic);
		if (watch !== undefined) this.#end(watch, endedBy);
	}

	#end(watch: Watch, endedBy: RequestFault): void {
		const { session, topic } = watch;
		watch.endedBy = endedBy;
		const watches = this.#watches.get(session);
		watches?.delete(topic);
		if (watches?.size === 0) this.#watches.delete(session);
		if (watch.isActive) this.#services.presence.unwatch(session.socketId, topic);
	}

	/** Called when a client is no longer in a topic. */
	left(session: Session, topic: string): void {
		if (this.#services.authorizer !== undefined) return;
		const watch = this.#watches.get(session)?.get(topic);
		if (watch === undefined) return;
		// Not why it has left: that is told by `@unsubscribed`, and the client may watch again once it is back.
		this.#end(watch, { code: 'not_subscribed', message: `You are no longer subscribed to ${topic}` });
	}

	/** Called when a connection has closed. */
	closed(session: Session): void {
		const watches = this.#watches.get(session);
		if (watches === undefined) return;
		for (const watch of watches.values()) this.#end(watch, DISCONNECTED);
	}

	/**
	 * Asks again whether a client may watch a topic, or all that it watches. Returns promises that resolve when that is
	 * decided, and never reject.
	 */
	reauthorize(session: Session, topic: string | undefined): readonly Promise<void>[] {
		const watches = this.#watches.get(session);
		const { authorizer } = this.#services;
		if (watches === undefined || authorizer === undefined) return NONE;
		const asked = topic === undefined ? [...watches.values()] : [watches.get(topic)];
		return asked.flatMap((watch) => (watch === undefined ? [] : [this.#ask(watch, authorizer)]));
	}

	async #ask(watch: Watch, authorizer: PresenceAuthorizer): Promise<void> {
		const { session, topic } = watch;
		const question = { watch };
		watch.question = question;
		const decision = await this.#decisions.of(question, authorizer.decide(session, topic));
		if (watch.question !== question) return;
		watch.question = undefined;
		if (isAllowed(decision) || watch.endedBy !== undefined) return;
		const { code, message } = decision;
		this.#services.refusals.add('forbidden', { socketId: session.socketId, topic });
		const wasActive = watch.isActive;
		this.#end(watch, { code, message });
		if (wasActive) session.send(encodeUnwatchedNotice({ topic, code, message }));
	}

	/** Stops all timers. */
	stop(): void {
		this.#decisions.stop();
	}
}

const NONE: readonly Promise<void>[] = [];
const DISCONNECTED: RequestFault = { code: 'disconnected', message: 'The connection has ended' };
