import type { Logger, WebSocketConnection, WebSocketProvider } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import { InvalidTopicError, isTopic } from '@orijs/websocket/protocol';
import { ApplicationError } from '../errors.ts';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { SessionOf } from '../session/gap-forwarding.ts';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { Authorize } from '../websocket-options.ts';
import type { ConnectionHooks } from './connection-hooks.ts';
import { MembershipWatch } from './membership-watch.ts';
import { PendingSubscriptions } from './pending-subscriptions.ts';
import { TopicAuthorizer } from './topic-authorizer.ts';
import { type Reauthorized, TopicRights } from './topic-rights.ts';

/** Whose rights to ask about again: those of one connection, or of all connections of a user. */
export type ReauthorizeTarget = { readonly socketId: string } | { readonly userId: string };

export interface TopicControlParts {
	readonly provider: WebSocketProvider;
	readonly authorize: Authorize;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** Undefined if no router has hooks. */
	readonly hooks: ConnectionHooks | undefined;
	readonly sessionOf: SessionOf;
}

/** Decides in which topics the clients of an endpoint may be, and for how long. */
export class TopicControl {
	readonly authorizer: TopicAuthorizer;
	readonly rights: TopicRights;
	readonly pending: PendingSubscriptions = new PendingSubscriptions();
	readonly #provider: WebSocketProvider;
	readonly #sessionOf: SessionOf;
	readonly #stopWatching: () => void;

	constructor(parts: TopicControlParts) {
		const { provider, authorize, logger, hooks, sessionOf } = parts;
		this.#provider = provider;
		this.#sessionOf = sessionOf;
		this.authorizer = new TopicAuthorizer(authorize, new FaultLog(logger));
		this.rights = new TopicRights({ ...parts, authorizer: this.authorizer });
		const { rights, pending } = this;
		this.#stopWatching = provider.onMembership(new MembershipWatch({ sessionOf, rights, pending, hooks }));
	}

	/** See {@link SocketEndpoint.reauthorize}; the arguments must be valid. */
	reauthorize(target: ReauthorizeTarget, topic: string | undefined): Promise<Reauthorized> {
		return this.rights.reauthorize([...this.#sessionsOf(target)], topic);
	}

	*#sessionsOf(target: ReauthorizeTarget): Generator<Session> {
		for (const socket of this.#socketsOf(target)) {
			const session = this.#sessionOf(socket);
			if (session !== undefined && (!('userId' in target) || session.userId === target.userId)) yield session;
		}
	}

	#socketsOf(target: ReauthorizeTarget): Iterable<WebSocketConnection> {
		if ('userId' in target) return this.#provider.getConnections();
		const socket = this.#provider.getConnection(target.socketId);
		return socket === undefined ? [] : [socket];
	}

	stop(): void {
		this.#stopWatching();
		this.rights.stop();
	}
}

/** @throws {ApplicationError} {InvalidTopicError} an argument of `reauthorize` is invalid */
export function checkReauthorize(target: unknown, topic: unknown): void {
	const { socketId, userId } = (target ?? {}) as { readonly socketId?: unknown; readonly userId?: unknown };
	const isOne = (socketId === undefined) !== (userId === undefined);
	if (!isOne || typeof (socketId ?? userId) !== 'string')
		throw new ApplicationError(`reauthorize(): pass { socketId } or { userId }, not ${show(target)}`);
	if (topic !== undefined && !isTopic(topic)) throw new InvalidTopicError(topic);
}

export const NOTHING_ASKED: Reauthorized = { asked: 0, left: 0 };
