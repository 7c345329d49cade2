import type { Logger, SocketData, WebSocketConnection, WebSocketProvider } from '@orijs/websocket';
import { CloseCode, withRetryHint } from '@orijs/websocket/protocol';
import type { BunRequest, Server } from 'bun';
import { upgradeTimeoutOf } from '../admission/app-upgrade-hook.ts';
import { UpgradeHandler, type UpgradeCandidate, type UpgradeOutcome } from '../admission/upgrade-handler.ts';
import { SocketAdopter } from '../app-socket.ts';
import { compressFrom } from '../compression.ts';
import { type AllLimits, MAX_DELAY_MS } from '../limits.ts';
import type { Refusal, Refusals } from '../refusals.ts';
import type { ClientRequests } from '../routing/client-requests.ts';
import { ConnectionHooks } from '../routing/connection-hooks.ts';
import type { EventListeners } from '../routing/endpoint-event.ts';
import { MessageEvents } from '../routing/message-events.ts';
import { PresenceControl } from '../routing/presence-control.ts';
import type { RoutingTable } from '../routing/routing-table.ts';
import { TopicControl } from '../routing/topic-control.ts';
import { TypedMessages } from '../routing/typed-messages.ts';
import { GapForwarding, type SessionOf } from '../session/gap-forwarding.ts';
import { KeepAlive } from '../session/keep-alive.ts';
import { HandlerWatchdog } from '../session/handler-watchdog.ts';
import { RawMessages } from '../session/raw-messages.ts';
import type { Frame, MessageDispatcher, Session, SessionHost } from '../session/session.ts';
import { SocketSession } from '../session/socket-session.ts';
import { drain } from '../stopping/drain.ts';
import { AFTER_STALL_MS } from '../support/deadlines.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';
import { ApplicationHandlers } from './application-handlers.ts';
import { bunRefusal } from './close-reasons.ts';
import { withCookies } from './fetched-request.ts';
import { ConnectionOpening } from './opening.ts';
import { SlowReaderPolicy } from './slow-reader-policy.ts';

/** How long flooding clients are asked to stay away, on average, in milliseconds. */
const FLOOD_RETRY_MS = 1_000;
const STOPPED = ', and was stopped, because they would have received the credentials of clients';

export interface EndpointParts {
	readonly provider: WebSocketProvider;
	readonly options: WebSocketOptions;
	readonly limits: AllLimits;
	readonly handlers: WebSocketHandlers;
	readonly table: RoutingTable;
	/** Whether typed messages without a handler go to the `message` handler. */
	readonly passesUnknown: boolean;
	readonly requests: ClientRequests;
	/** Called with what becomes of typed messages; undefined if there are no listeners. */
	readonly events: EventListeners | undefined;
	readonly refusals: Refusals;
	readonly logger: Logger;
	/** Called when the endpoint has stopped, or could not start. */
	readonly onDisposed: () => void;
}

/** One WebSocket endpoint: handles connections from the upgrade request to their end. */
export class WebSocketEndpoint implements SessionHost {
	readonly provider: WebSocketProvider;
	readonly limits: AllLimits;
	/** How long a client may take from its request until it is open to messages, in milliseconds. */
	readonly opensWithinMs: number;
	readonly slowReaders: 'close' | 'drop';
	/** The smallest message that is compressed, in bytes; undefined if none is. */
	readonly compressFrom: number | undefined;
	readonly typed: MessageDispatcher;
	readonly raw: MessageDispatcher;
	readonly watchdog: HandlerWatchdog;
	readonly keepAlive: KeepAlive<SocketSession>;
	readonly #parts: EndpointParts;
	readonly #handlers: ApplicationHandlers;
	readonly #faults: FaultLog;
	readonly #upgrades: UpgradeHandler;
	readonly #adopter: SocketAdopter;
	readonly #opening: ConnectionOpening;
	readonly #gapNotices: GapForwarding;
	/** Undefined if no router has hooks. */
	readonly #hooks: ConnectionHooks | undefined;
	readonly topics: TopicControl;
	readonly #presence: PresenceControl;
	readonly #slowReaders: SlowReaderPolicy;
	/** Sessions that are still handling a message although their connection is gone. */
	readonly #closedBusy = new Set<SocketSession>();
	/** Servers whose `websocket` is not that of an endpoint. */
	readonly #miswired = new WeakSet<Server<SocketData>>();

	/** @throws {ApplicationError} an option is invalid */
	constructor(parts: EndpointParts) {
		const { provider, options, limits, handlers, table, requests, events, refusals, logger } = parts;
		this.#parts = parts;
		this.provider = provider;
		this.limits = limits;
		this.opensWithinMs = Math.min(MAX_DELAY_MS, upgradeTimeoutOf(options) + limits.guardTimeoutMs + AFTER_STALL_MS);
		this.slowReaders = options.slowReaders ?? 'close';
		this.compressFrom = compressFrom(options.perMessageDeflate);
		this.#handlers = new ApplicationHandlers(handlers, logger);
		this.#faults = new FaultLog(logger);
		this.watchdog = new HandlerWatchdog(() => this.#unfinished(), limits.handlerTimeoutMs);
		this.keepAlive = new KeepAlive(limits, (session) => this.#onIdle(session));
		this.#upgrades = new UpgradeHandler({
			options,
			limits,
			refusals,
			logger,
			connect: (candidate, server) => this.#connect(candidate, server),
		});
		this.#adopter = new SocketAdopter(parts, this.compressFrom, {
			onClosing: ({ data }) => (data as SocketSession).beforeClosing(),
			onClose: ({ data }) => (data as SocketSession).closing(),
			onPing: ({ data }) => (data as SocketSession).pinged(),
			onBackpressure: ({ data }) => (data as SocketSession).checkBackpressure(),
			onSubscribe: ({ data }, topic, done) => this.#opening.subscribing(data as SocketSession, topic, done),
		});
		const sessionOf: SessionOf = ({ data }) => (this.#isOwn(data) ? data : undefined);
		this.#gapNotices = new GapForwarding(provider, sessionOf);
		this.#hooks = table.hooks && new ConnectionHooks(table.hooks, parts);
		this.#presence = new PresenceControl({ ...parts, presence: options.presence, sessionOf });
		const { watches } = this.#presence;
		const hooks = this.#hooks;
		this.topics = new TopicControl({ ...parts, authorize: options.authorize ?? {}, hooks, watches, sessionOf });
		const messageEvents = events && new MessageEvents(events, table.routes);
		this.#opening = new ConnectionOpening({
			...parts,
			calls: requests.calls,
			events: messageEvents,
			handlers: this.#handlers,
			hooks,
			gapNotices: this.#gapNotices,
			presence: this.#presence,
		});
		this.raw = this.#readRaw();
		this.typed = this.#readTyped(messageEvents);
		this.#slowReaders = new SlowReaderPolicy({
			policy: this.slowReaders,
			queuedBytes: limits.queuedBytes,
			refusals,
			gapNotices: this.#gapNotices,
		});
		requests.open();
	}

	#readRaw(): MessageDispatcher {
		const { handlers, refusals } = this.#parts;
		const { message } = handlers;
		return new RawMessages(
			message && ((ws, frame) => message.call(handlers, ws, frame)),
			(ws, error) => this.#handlers.logFailure('message', ws, error),
			refusals,
		);
	}

	#readTyped(events: MessageEvents | undefined): MessageDispatcher {
		const { provider, limits, handlers, table, passesUnknown, requests, refusals, logger } = this.#parts;
		return new TypedMessages({
			provider,
			requests,
			limits,
			refusals,
			logger,
			authorizer: this.topics.authorizer,
			rights: this.topics.rights,
			pending: this.topics.pending,
			presence: this.#presence,
			hooks: this.#hooks,
			renewals: this.#opening.renewals,
			routes: table.routes,
			unknown: table.unknown,
			passesUnknown,
			events,
			raw: handlers.message === undefined ? undefined : this.raw,
			isRawAtOnce: false,
			onBinary: (session) =>
				this.#end('binary', session, CloseCode.unsupportedData, 'binary messages are not accepted'),
		});
	}

	// Upgrades

	/**
	 * Handles a request to the endpoint's path. Resolves with the response, or with undefined if the request has become
	 * a WebSocket.
	 */
	upgrade(req: BunRequest, server: Server<SocketData>): Promise<Response | undefined> {
		return this.#upgrades.upgrade(req, server);
	}

	#connect(candidate: UpgradeCandidate, server: Server<SocketData>): UpgradeOutcome {
		if (this.#miswired.has(server)) return 'miswired';
		const { req, remoteAddress } = candidate;
		const headers = withCookies(candidate.headers, req);
		const session = new SocketSession(this, candidate);
		this.#opening.upgrading(session, req, remoteAddress);
		// Bun's setting is that of the whole server: another of its endpoints may compress.
		if (this.compressFrom === undefined) req.headers.delete('sec-websocket-extensions');
		const isConnected = server.upgrade(req, headers === undefined ? { data: session } : { data: session, headers });
		// Bun calls `open` during the upgrade.
		if (session.isAttached) return 'connected';
		this.#opening.notUpgraded(session);
		if (!isConnected) return 'invalid';
		this.#lost(session, server);
		return 'connected';
	}

	/**
	 * The request has become a WebSocket of other handlers. What its client sends next, perhaps its credentials, must
	 * not reach them. Bun gives no access to a single socket of other handlers, but stopping the server closes it at
	 * once, before anything is read from it.
	 */
	#lost(session: SocketSession, server: Server<SocketData>): void {
		this.#miswired.add(server);
		this.#upgrades.slots.release(session.slot);
		this.#parts.refusals.count('miswired');
		if (session.isSpeaker) void server.stop(true);
		this.#faults.wrong(
			`A connection was lost: its server has other websocket handlers${session.isSpeaker ? STOPPED : ''}. Pass ` +
				'websocket: endpoint.websocket to Bun.serve, or handlers(...) of all its endpoints',
			'Connections were lost: their server has other websocket handlers than endpoint.websocket',
			{},
		);
	}

	// Sockets

	/** Called when the upgrade of a connection is complete. */
	onConnected(raw: WebSocketConnection): void {
		const session = raw.data as SocketSession;
		session.attach(this.#adopter.adopt(raw));
		this.keepAlive.add(session);
		this.#opening.connected(session);
	}

	onFirstFrame(session: Session, frame: Frame): void {
		this.#opening.onFirstFrame(session, frame);
	}

	onPing(session: SocketSession, payload: Buffer): void {
		if (session.receivePing(payload)) this.#handlers.ping(session.ws, payload);
	}

	onPong(session: SocketSession, payload: Buffer): void {
		if (session.receivePong(payload)) this.#handlers.pong(session.ws, payload);
	}

	async onDrain(session: SocketSession): Promise<void> {
		this.#slowReaders.onDrain(session);
		if (session.isOpen) await this.#handlers.drain(session.ws);
	}

	onClosed(session: SocketSession, code: number, reason: string): void {
		const { provider, requests, refusals } = this.#parts;
		const { socketId } = session;
		const refusal = bunRefusal(code, reason);
		if (refusal !== undefined) refusals.add(refusal, { socketId, reason });
		this.keepAlive.remove(session);
		this.#opening.closed(session);
		session.closed();
		if (session.isBusy) this.#finishLater(session);
		if (session.lingers) this.#upgrades.slots.releaseLater(session.slot);
		else this.#upgrades.slots.release(session.slot);
		provider.removeConnection(socketId);
		if (!session.wasOpened) return;
		requests.disconnect(socketId);
		this.topics.rights.closed(session);
		this.#presence.watches.closed(session);
		if (!this.#handlers.hasClose && this.#hooks === undefined) return;
		// Once the handlers of all earlier messages have started.
		session.whenAllStarted(() => {
			this.#handlers.close(session, code, reason);
			this.#hooks?.closed(session, code, reason);
		});
	}

	/** The messages that arrived before a connection ended are still handled, unless there are too many of them. */
	#finishLater(session: SocketSession): void {
		this.#closedBusy.add(session);
		const { slot, socketId } = session;
		if (this.#upgrades.slots.finishLater(slot)) return;
		this.#parts.refusals.add('abandoned', { socketId, address: slot.address });
		session.closing();
	}

	onFinished(session: Session): void {
		const ended = session as SocketSession;
		if (this.#closedBusy.delete(ended)) this.#upgrades.slots.finished(ended.slot);
	}

	/** Called when a client has shown no sign of life for `limits.idleTimeoutMs`. */
	#onIdle(session: SocketSession): void {
		this.#parts.refusals.add('idle', { socketId: session.socketId });
		session.cut();
	}

	/** Called for a frame longer than `limits.messageBytes`, if other endpoints of the server may receive it. */
	onTooBig(session: Session): void {
		// Bun's own reason.
		this.#end('messageSize', session, CloseCode.messageTooBig, 'Received too big message');
	}

	onFlood(session: Session): void {
		const retryMs = FLOOD_RETRY_MS * (0.5 + Math.random());
		this.#end('flood', session, CloseCode.tooManyMessages, withRetryHint('too many messages', retryMs));
	}

	onSlowReader(session: Session): void {
		this.#slowReaders.onLimitReached(session);
	}

	/**
	 * Called when the provider has detected a slow reader. Unless `slowReaders` is `drop`, the provider has already
	 * closed the connection.
	 */
	slowReaderDetected(session: Session, since: number): void {
		this.#slowReaders.onDetected(session, since);
	}

	#end(refusal: Refusal, session: Session, code: number, reason: string): void {
		this.#parts.refusals.add(refusal, { socketId: session.socketId });
		session.end(code, reason);
	}

	/** Yields the sessions that may still have work to do. */
	*#unfinished(): Generator<Session> {
		yield* this.#closedBusy;
		// The endpoint keeps no list of other sessions: the provider knows the open ones, of all endpoints that share it,
		// and the guards the pending ones.
		for (const { data } of this.#parts.provider.getConnections()) if (this.#isOwn(data)) yield data;
		yield* this.#opening.pending;
	}

	/** Whether a connection belongs to this endpoint, and not to another one with the same provider. */
	#isOwn(data: unknown): data is SocketSession {
		return data instanceof SocketSession && data.host === this;
	}

	// Stopping

	/** Refuses new connections and any upgrades that still await a decision. */
	close(): void {
		this.#upgrades.close();
	}

	/**
	 * Ends all connections and waits for their close handlers, at most until the deadline (in milliseconds, monotonic
	 * clock).
	 */
	async drain(deadline: number): Promise<void> {
		await drain([...this.#unfinished()], deadline);
		const ms = deadline - performance.now();
		await Promise.all([this.#handlers.closeHandlersSettled(ms), this.#hooks?.settled(ms)]);
	}

	/** Detaches from the provider and stops all timers. */
	dispose(): void {
		this.#gapNotices.stop();
		this.topics.stop();
		this.#presence.stop();
		this.#hooks?.stop();
		this.#parts.requests.close();
		this.#opening.clear();
		this.watchdog.stop();
		this.keepAlive.stop();
		this.#parts.onDisposed();
	}
}
