import type { WebSocketProvider } from '@orijs/websocket';
import type { RequestFault } from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import { grantedTopics, grantOf, hasGrant, withGrant, withoutGrant } from '../session/grants.ts';
import type { Session } from '../session/session.ts';
import { Expiries } from '../support/expiries.ts';
import { DecisionsInTime } from './decisions-in-time.ts';
import { PendingAuthorization } from './pending-authorization.ts';
import type { PresenceWatches } from './presence-watches.ts';
import { type Allowed, isAllowed, NotAuthorized, type TopicAuthorizer } from './topic-authorizer.ts';

/** What became of topics about which the application was asked again. */
export interface Reauthorized {
	/** About how many topics it was asked, counting each connection. */
	readonly asked: number;
	/** How many of these the clients are no longer in. */
	readonly left: number;
}

/** About how many clients the application is asked before other work gets its turn. */
const SESSIONS_PER_TURN = 500;

/** A topic that a client may be in until the application is asked again, or about which it is being asked. */
interface Grant {
	readonly session: Session;
	readonly topic: string;
}

export interface TopicRightsServices {
	readonly provider: Pick<WebSocketProvider, 'unsubscribe'>;
	readonly limits: Pick<AllLimits, 'handlerTimeoutMs'>;
	readonly refusals: Refusals;
	readonly authorizer: TopicAuthorizer;
	/** Who watches the members of topics: they are asked about again as well. */
	readonly watches: Pick<PresenceWatches, 'reauthorize'>;
}

/** Remembers what clients asked for and were allowed, and takes it away when the application no longer allows it. */
export class TopicRights {
	readonly #services: TopicRightsServices;
	readonly #expiries = new Expiries<Grant>((grant) => void this.#ask(grant.session, grant.topic));
	/** Of the topics about which the application is being asked again. */
	readonly #decisions: DecisionsInTime<Grant>;

	constructor(services: TopicRightsServices) {
		this.#services = services;
		const { limits, refusals } = services;
		this.#decisions = new DecisionsInTime(limits.handlerTimeoutMs, ({ session: { socketId }, topic }) =>
			refusals.add('handlerTimeout', { socketId, topic }),
		);
	}

	/** Called when a client has been subscribed to a topic at its own request. */
	granted(session: Session, topic: string, { until }: Allowed): void {
		const grant = until === Infinity ? undefined : { session, topic };
		this.#replace(session, topic, grant);
		if (grant !== undefined) this.#expiries.set(grant, until - performance.now());
	}

	/** Called when a topic is no longer the client's own choice: it has left it, or the server has subscribed it. */
	ended(session: Session, topic: string): void {
		if (!hasGrant(session.grants, topic)) return;
		this.#drop(grantOf(session.grants, topic) as Grant | undefined);
		session.grants = withoutGrant(session.grants, topic);
	}

	/** Called when a connection has closed. */
	closed(session: Session): void {
		const { grants } = session;
		if (typeof grants === 'object') for (const grant of grants.values()) this.#drop(grant as Grant | undefined);
		session.grants = undefined;
	}

	/**
	 * Asks again about one topic, or all, that the clients asked for, and about those whose members they watch, which
	 * don't count. With many clients, other work gets its turn in between. Never rejects.
	 */
	async reauthorize(sessions: Iterable<Session>, topic: string | undefined): Promise<Reauthorized> {
		const asked: Promise<boolean>[] = [];
		const watched: Promise<void>[] = [];
		let turn = 0;
		for (const session of sessions) {
			if (++turn % SESSIONS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
			if (session.isBusy && session.inbound.running instanceof PendingAuthorization) session.inbound.running.outdate();
			for (const each of topic === undefined ? grantedTopics(session.grants) : [topic])
				if (hasGrant(session.grants, each)) asked.push(this.#ask(session, each));
			watched.push(...this.#services.watches.reauthorize(session, topic));
		}
		await Promise.all(watched);
		const left = (await Promise.all(asked)).filter((isIn) => !isIn).length;
		return { asked: asked.length, left };
	}

	/** Asks about one topic. Resolves with whether the client is still in it. Never rejects. */
	async #ask(session: Session, topic: string): Promise<boolean> {
		const grant = { session, topic };
		// From now on, an earlier answer no longer counts.
		this.#replace(session, topic, grant);
		const asked = this.#services.authorizer.decide(session, topic, 'subscribe to');
		const decision = await this.#decisions.of(grant, asked);
		if (grantOf(session.grants, topic) === grant) {
			if (isAllowed(decision)) this.granted(session, topic, decision);
			else this.#refuse(session, topic, decision);
		}
		return session.state !== 'closed' && session.topics.has(topic);
	}

	#refuse(session: Session, topic: string, { code, message }: RequestFault | NotAuthorized): void {
		const { provider, refusals } = this.#services;
		refusals.add('forbidden', { socketId: session.socketId, topic });
		// The membership listener ends the grant. It rejects if the connection has just ended.
		void provider.unsubscribe(session.socketId, topic, { by: 'server', code, message }).catch(ignore);
	}

	#replace(session: Session, topic: string, grant: Grant | undefined): void {
		this.#drop(grantOf(session.grants, topic) as Grant | undefined);
		session.grants = withGrant(session.grants, topic, grant);
	}

	/** A grant that is being asked about is settled when its answer comes, or at its deadline. */
	#drop(grant: Grant | undefined): void {
		if (grant !== undefined) this.#expiries.delete(grant);
	}

	/** Stops all timers. */
	stop(): void {
		this.#expiries.clear();
		this.#decisions.stop();
	}
}

function ignore(): void {}
