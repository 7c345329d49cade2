import type { ChangedBy, MembershipListener, Unsubscription, WebSocketConnection } from '@orijs/websocket';
import type { SessionOf } from '../session/gap-forwarding.ts';
import type { ConnectionHooks } from './connection-hooks.ts';
import type { PendingSubscriptions } from './pending-subscriptions.ts';
import type { PresenceWatches } from './presence-watches.ts';
import type { TopicRights } from './topic-rights.ts';

export interface MembershipWatchOptions {
	readonly sessionOf: SessionOf;
	readonly rights: TopicRights;
	readonly pending: PendingSubscriptions;
	readonly watches: PresenceWatches;
	/** Undefined if no router has hooks. */
	readonly hooks: ConnectionHooks | undefined;
}

/** Passes on which topics an endpoint's connections enter and leave. */
export class MembershipWatch implements MembershipListener {
	readonly #options: MembershipWatchOptions;

	constructor(options: MembershipWatchOptions) {
		this.#options = options;
	}

	subscribed(socket: WebSocketConnection, topic: string, by: ChangedBy, isNew: boolean): void {
		const { sessionOf, rights, pending, hooks } = this.#options;
		const session = sessionOf(socket);
		if (session === undefined) return;
		// What the server has chosen as well is no longer for `authorize` to take away.
		if (by === 'server') rights.ended(session, topic);
		if (!isNew) return;
		pending.changed(session, topic);
		hooks?.subscribed(session, topic);
	}

	unsubscribed(socket: WebSocketConnection, topic: string, why: Unsubscription): void {
		const { sessionOf, rights, pending, watches, hooks } = this.#options;
		const session = sessionOf(socket);
		if (session === undefined) return;
		rights.ended(session, topic);
		watches.left(session, topic);
		if (why.by === 'server') pending.removed(session, topic, why);
		else pending.changed(session, topic);
		hooks?.unsubscribed(session, topic, why);
	}
}
