import type { Logger, WebSocketConnection, WebSocketProvider } from '@orijs/websocket';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { SessionOf } from '../session/gap-forwarding.ts';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { Authorize } from '../websocket-options.ts';
import type { ConnectionHooks } from './connection-hooks.ts';
import { MembershipWatch } from './membership-watch.ts';
import { PendingSubscriptions } from './pending-subscriptions.ts';
import type { PresenceWatches } from './presence-watches.ts';
import { TopicAuthorizer } from './topic-authorizer.ts';
import { TopicRights } from './topic-rights.ts';

export interface TopicControlParts {
	readonly provider: WebSocketProvider;
	readonly authorize: Authorize;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** Undefined if no router has hooks. */
	readonly hooks: ConnectionHooks | undefined;
	readonly watches: PresenceWatches;
	readonly sessionOf: SessionOf;
}

/** Decides in which topics the clients of an endpoint may be, and for how long. */
export class TopicControl {
	readonly authorizer: TopicAuthorizer;
	readonly rights: TopicRights;
	readonly pending: PendingSubscriptions = new PendingSubscriptions();
	readonly #sessionOf: SessionOf;
	readonly #stopWatching: () => void;
	readonly #stopReauthorizing: () => void;

	constructor(parts: TopicControlParts) {
		const { provider, authorize, logger, hooks, watches, sessionOf } = parts;
		this.#sessionOf = sessionOf;
		this.authorizer = new TopicAuthorizer(authorize, new FaultLog(logger));
		this.rights = new TopicRights({ ...parts, authorizer: this.authorizer });
		const { rights, pending } = this;
		this.#stopWatching = provider.onMembership(new MembershipWatch({ sessionOf, rights, pending, watches, hooks }));
		this.#stopReauthorizing = provider.onReauthorize((sockets, topic) =>
			rights.reauthorize(this.#sessionsOf(sockets), topic),
		);
	}

	/** Yields the sessions of sockets that belong to this endpoint: others may share the provider. */
	*#sessionsOf(sockets: Iterable<WebSocketConnection>): Generator<Session> {
		for (const socket of sockets) {
			const session = this.#sessionOf(socket);
			if (session !== undefined) yield session;
		}
	}

	stop(): void {
		this.#stopWatching();
		this.#stopReauthorizing();
		this.rights.stop();
	}
}
