import type { FailureLog } from '@orijs/websocket/internal';
import type { Logger, WebSocketConnection, WebSocketProvider } from '@orijs/websocket';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { ConnectionHooks } from '../routing/connection-hooks.ts';
import { type AuthRequest, ConnectionGuards } from '../routing/connection-guards.ts';
import { GuardRun, type UpgradeRequest } from '../routing/guard-run.ts';
import type { MessageEvents } from '../routing/message-events.ts';
import type { PresenceControl } from '../routing/presence-control.ts';
import { Renewals } from '../routing/renewals.ts';
import type { GuardTable } from '../routing/run-guards.ts';
import { type GapForwarding, REACHABLE_WITHIN_MS } from '../session/gap-forwarding.ts';
import { Openings } from '../session/openings.ts';
import type { Frame, Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { ApplicationHandlers } from './application-handlers.ts';

export interface ConnectionOpeningParts {
	readonly provider: WebSocketProvider;
	readonly limits: AllLimits;
	readonly table: GuardTable;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** Logs failed calls whose promises are not awaited. */
	readonly calls: FailureLog;
	/** Undefined if there are no listeners. */
	readonly events: MessageEvents | undefined;
	readonly handlers: ApplicationHandlers;
	/** Undefined if no router has hooks. */
	readonly hooks: ConnectionHooks | undefined;
	readonly gapNotices: GapForwarding;
	readonly presence: PresenceControl;
}

/** Opens connections, from the end of their upgrade until their clients are ready, and renews their credentials. */
export class ConnectionOpening {
	/** Undefined if no router has guards. */
	readonly renewals: Renewals | undefined;
	readonly #parts: ConnectionOpeningParts;
	readonly #faults: FaultLog;
	readonly #guards: ConnectionGuards | undefined;
	readonly #openings: Openings;
	/** The parts of upgrade requests that guards can read, kept until the connections open. */
	readonly #requests = new Map<Session, UpgradeRequest>();

	constructor(parts: ConnectionOpeningParts) {
		const { provider, limits, table, gapNotices } = parts;
		this.#parts = parts;
		this.#faults = new FaultLog(parts.logger);
		this.#openings = new Openings({
			provider,
			gapNotices,
			faults: this.#faults,
			timeoutMs: limits.guardTimeoutMs,
			onReady: (session, authId) => this.renewals?.answer(session, authId),
		});
		if (table.authenticate === undefined && table.guards.length === 0) return;
		this.renewals = new Renewals(parts);
		this.#guards = new ConnectionGuards({
			...parts,
			onPassed: (session, run, auth) => this.#onPassed(session, run, auth),
		});
	}

	/** Called before a request becomes a WebSocket: then, it can't be read any more. */
	upgrading(session: Session, { headers }: Request, remoteAddress: string): void {
		if (this.#guards !== undefined) this.#requests.set(session, { headers: new Headers(headers), remoteAddress });
	}

	/** Called when a request has not become a WebSocket of this endpoint. */
	notUpgraded(session: Session): void {
		this.#requests.delete(session);
	}

	/** Called when the upgrade of a connection is complete. */
	connected(session: Session): void {
		const request = this.#requests.get(session);
		if (this.#guards === undefined || request === undefined) {
			this.#open(session, undefined, undefined);
			return;
		}
		this.#requests.delete(session);
		this.#guards.add(session, request);
	}

	/** Called with the first frame of a connection whose guards have not passed. */
	onFirstFrame(session: Session, frame: Frame): void {
		this.#guards?.onFirstFrame(session, frame);
	}

	#onPassed(session: Session, run: GuardRun, auth: AuthRequest | undefined): void {
		session.admit(run.state, run.userId);
		this.renewals?.admitted(session, run, auth !== undefined);
		this.#open(session, run, auth?.correlationId);
	}

	/** @param authId the correlation id of the client's `@auth`, if that has been accepted and must be answered */
	#open(session: Session, run: GuardRun | undefined, authId: string | undefined): void {
		const { provider, handlers, hooks } = this.#parts;
		const openedAt = performance.now();
		provider.addConnection(session.ws as unknown as WebSocketConnection).then(
			() => this.#onReachable(session, performance.now() - openedAt),
			(err: unknown) => this.#onUnreachable(session, err),
		);
		if (session.state !== 'guarding') {
			// The provider has closed it, because its user was disconnected while the guards ran.
			if (run !== undefined) GuardRun.release(run);
			return;
		}
		session.open();
		const topics = run && GuardRun.topicsOf(run);
		// Plain clients are not told when they are ready, so they don't wait for it.
		const hasCode = handlers.hasOpen || hooks !== undefined;
		const hasToWait = session.isSpeaker && (hasCode || (topics !== undefined && topics.size > 0));
		const opening = hasToWait ? this.#openings.begin(session, authId) : undefined;
		// A client learns its topics before it is ready.
		const running = provider.batchMembership(() => {
			if (run !== undefined && topics !== undefined) {
				for (const [topic, options] of topics)
					this.subscribing(session, topic, provider.subscribe(session.socketId, topic, options));
				GuardRun.release(run);
			}
			return bothOf(handlers.open(session), hooks?.open(session));
		});
		if (opening !== undefined) return this.#openings.opened(opening, running);
		this.renewals?.answer(session, authId);
		session.releaseHeld();
	}

	/** Called when the server subscribes a socket to a topic. @param done resolves when that is confirmed */
	subscribing(session: Session, topic: string, done: Promise<unknown>): void {
		this.#openings.subscribing(session, topic, done);
	}

	/** Other nodes can send to the client. @param afterMs how long that took, in milliseconds */
	#onReachable(session: Session, afterMs: number): void {
		// A client that is not ready yet can't have missed anything.
		if (afterMs <= REACHABLE_WITHIN_MS || this.#openings.isWaiting(session)) return;
		this.#parts.gapNotices.wasUnreachable(session, afterMs);
	}

	/** The provider refused the socket, or could not subscribe this node to the socket's channel. */
	#onUnreachable({ socketId, state }: Session, err: unknown): void {
		const fault = { what: 'A connection could not be added to the provider', err };
		if (state === 'open') this.#faults.failed(fault, { socketId });
		else this.#faults.cutShort(fault, { socketId });
	}

	/** Connections whose guards have not passed yet. */
	get pending(): Iterable<Session> {
		return this.#guards?.pending ?? [];
	}

	/** Called when a connection has closed. */
	closed(session: Session): void {
		this.#guards?.forget(session);
		this.renewals?.forget(session);
		this.#openings.forget(session);
	}

	/** Stops all timers. */
	clear(): void {
		this.#guards?.clear();
		this.renewals?.clear();
		this.#openings.clear();
	}
}

/** Returns a promise of all that has not finished. */
function bothOf(a: Promise<void> | undefined, b: Promise<void> | undefined): Promise<unknown> | undefined {
	return a === undefined || b === undefined ? (a ?? b) : Promise.all([a, b]);
}
