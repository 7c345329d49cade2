import {
	InvalidSocketDataError,
	UnknownSocketError,
	type WebSocketConnection,
	type WebSocketProvider,
} from '@orijs/websocket';
import { isSpeaker } from '@orijs/websocket/internal';
import { CloseCode } from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import type { EndpointPresenceOptions } from '../presence-options.ts';
import type { Refusals } from '../refusals.ts';
import { readMessage, MessageFault } from '../routing/read-message.ts';
import { PresenceControl } from '../routing/presence-control.ts';
import { TopicControl } from '../routing/topic-control.ts';
import { TypedMessages, type TypedMessagesOptions } from '../routing/typed-messages.ts';
import { isLongerThan } from '../session/frame-bytes.ts';
import { HandlerWatchdog } from '../session/handler-watchdog.ts';
import type { SessionOf } from '../session/gap-forwarding.ts';
import type { MessageDispatcher, Session } from '../session/session.ts';
import type { SubscribingServices } from '../session/subscribe-own-socket.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { Authorize } from '../websocket-options.ts';
import { type WiredHost, WiredSession } from './wired-session.ts';
import { WiredSocket } from './wired-socket.ts';

/** Connections are kept alive by Bun, and their rate is not limited. */
const NO_KEEP_ALIVE: WiredHost['keepAlive'] = { tick: 0, stalls: { recentMs: () => 0 } };

/** What is not part of {@link SocketProtocol}, or created here. */
type NotHere =
	| 'raw'
	| 'isRawAtOnce'
	| 'onBinary'
	| 'passesUnknown'
	| 'renewals'
	| 'events'
	| 'hooks'
	| 'authorizer'
	| 'rights'
	| 'pending'
	| 'presence';

/** The sessions of connections that the application has upgraded, created with their first frame. */
export class WiredSessions implements WiredHost {
	readonly limits: AllLimits;
	readonly typed: MessageDispatcher;
	readonly topics: TopicControl;
	readonly #presence: PresenceControl;
	readonly watchdog: HandlerWatchdog;
	readonly keepAlive: WiredHost['keepAlive'] = NO_KEEP_ALIVE;
	readonly #provider: WebSocketProvider;
	readonly #subscribing: SubscribingServices;
	readonly #refusals: Refusals;
	readonly #faults: FaultLog;
	readonly #sessions = new WeakMap<WebSocketConnection<any>, WiredSession>();
	/** Sessions that are still handling a message although their connection is gone. */
	readonly #closedBusy = new Set<Session>();
	#isStopped = false;

	constructor(
		services: Omit<TypedMessagesOptions, NotHere> & {
			readonly authorize: Authorize;
			readonly presence: EndpointPresenceOptions;
		},
	) {
		const { provider, limits, refusals, logger } = services;
		this.limits = limits;
		this.#provider = provider;
		this.#subscribing = { provider, limits, refusals };
		this.#refusals = refusals;
		this.#faults = new FaultLog(logger);
		const sessionOf: SessionOf = (socket) => this.#sessions.get(socket);
		// Plain clients have no session, but are present as well.
		const described: SessionOf = (socket) => this.#sessions.get(socket) ?? new WiredSession(this, socket);
		this.#presence = new PresenceControl({ ...services, sessionOf: described });
		this.topics = new TopicControl({ ...services, hooks: undefined, watches: this.#presence.watches, sessionOf });
		const { authorizer, rights, pending } = this.topics;
		this.typed = new TypedMessages({
			...services,
			authorizer,
			rights,
			pending,
			presence: this.#presence,
			hooks: undefined,
			renewals: undefined,
			events: undefined,
			passesUnknown: false,
			raw: {
				handle(session) {
					(session as WiredSession).isForeign = true;
				},
				onTimeout() {},
			},
			isRawAtOnce: true,
			// Binary frames are not passed to it.
			onBinary() {},
		});
		this.watchdog = new HandlerWatchdog(() => this.#busyOrOpen(), limits.handlerTimeoutMs);
	}

	/**
	 * Handles a text from a client that speaks the protocol, in its turn. Returns false if it is no typed message; that
	 * is known at once, and also after the connection or this object has been stopped.
	 */
	receive(ws: WebSocketConnection<any>, text: string): boolean {
		const session = this.#sessions.get(ws) ?? this.#added(ws);
		const isTooLong = isLongerThan(text, this.limits.messageBytes);
		if (session === undefined || session.state === 'closed') return isTooLong || !this.#isForeign(text);
		if (isTooLong) {
			this.#refusals.add('messageSize', { socketId: session.socketId });
			session.end(CloseCode.messageTooBig, 'Received too big message');
			return true;
		}
		session.isForeign = false;
		session.inbound.receive(text);
		return !session.isForeign;
	}

	#isForeign(text: string): boolean {
		const message = readMessage(text, this.limits.messageDepth);
		return message instanceof MessageFault && message.isForeign;
	}

	/** Returns the session of a socket, which exists as soon as it is needed; undefined if its client is plain. */
	of(ws: WebSocketConnection): Session | undefined {
		return isSpeaker(ws) ? (this.#sessions.get(ws) ?? this.#add(ws)) : undefined;
	}

	#add(ws: WebSocketConnection): WiredSession {
		const session = new WiredSession(this, ws);
		this.#sessions.set(ws, session);
		return session;
	}

	/** Returns the new session of a socket that the provider knows. Any other socket is closed, and that is logged. */
	#added(ws: WebSocketConnection): WiredSession | undefined {
		const { socketId } = ws.data;
		if (this.#provider.getConnection(socketId) === ws) return this.#add(ws);
		if (ws.readyState !== WebSocket.OPEN) return undefined;
		// Not thrown: Bun ends the process when a handler of its server throws.
		const err = socketId === undefined ? new InvalidSocketDataError(ws.data) : new UnknownSocketError(socketId);
		ws.close(CloseCode.internalError, err.name);
		this.#faults.failed(
			{ what: 'A connection was closed: its provider does not know the socket of a message', err },
			{ socketId },
		);
		return undefined;
	}

	/** Called when a connection has ended. The messages that have arrived are still handled. */
	closed(ws: WebSocketConnection<any>): void {
		const session = this.#sessions.get(ws);
		if (session === undefined) return;
		session.closed();
		this.topics.rights.closed(session);
		this.#presence.watches.closed(session);
		if (session.isBusy) this.#closedBusy.add(session);
	}

	get isStopped(): boolean {
		return this.#isStopped;
	}

	/** Refuses further messages, and no longer ends handlers that take too long. */
	stop(): void {
		this.#isStopped = true;
		this.watchdog.stop();
		this.topics.stop();
		this.#presence.stop();
	}

	*#busyOrOpen(): Generator<Session> {
		yield* this.#closedBusy;
		for (const socket of this.#provider.getConnections()) {
			const session = this.#sessions.get(socket);
			if (session !== undefined) yield session;
		}
	}

	// The host of its sessions

	/** All sessions are those of clients that speak the protocol. */
	get raw(): MessageDispatcher {
		return this.typed;
	}

	wrap(raw: WebSocketConnection<any>, onClose: () => void): WiredSocket {
		return new WiredSocket(raw, this.#subscribing, onClose);
	}

	onFinished(session: Session): void {
		this.#closedBusy.delete(session);
	}

	onSlowReader(session: Session): void {
		this.#refusals.add('slowReader', { socketId: session.socketId });
		session.end(CloseCode.tryAgainLater, 'reads too slowly');
	}

	/** Never called: there are no guards. */
	onFirstFrame(): void {}

	/** Never called: the rate is not limited. */
	onFlood(): void {}
}
