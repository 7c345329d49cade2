import {
	type Logger,
	type SocketData,
	UnknownSocketError,
	type WebSocketConnection,
	type WebSocketProvider,
} from '@orijs/websocket';
import { CloseCode, withRetryHint } from '@orijs/websocket/protocol';
import type { BunRequest, Server, WebSocketHandler } from 'bun';
import { type Arrival, UpgradeHandler } from '../admission/upgrade-handler.ts';
import { type AppSocket, SocketAdopter } from '../app-socket.ts';
import { GapNotices } from '../session/gap-notices.ts';
import type { AllLimits } from '../limits.ts';
import { HandlerWatchdog } from '../session/handler-watchdog.ts';
import { promiseOf } from '../support/promise-of.ts';
import { RawMessages } from '../session/raw-messages.ts';
import { type Refusal, Refusals } from '../refusals.ts';
import type { ClientRequests } from '../routing/client-requests.ts';
import { ConnectionGuards, type UpgradeRequest } from '../routing/connection-guards.ts';
import type { RoutingTable } from '../routing/routing-table.ts';
import { TypedMessages } from '../routing/typed-messages.ts';
import { type Inbound, Session, type SessionHost } from '../session/session.ts';
import { settledWithin } from '../support/settled-within.ts';
import { drain } from '../stopping/drain.ts';
import type { WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';

/** How long clients that went on sending too fast are asked to stay away, on average, in milliseconds. */
const AFTER_FLOOD_MS = 1_000;

/** What may be sent to a socket before it can be looked at: Bun gathers small messages. */
const IN_ONE_GO_BYTES = 4 * 1024 * 1024;

export interface EndpointParts {
	readonly provider: WebSocketProvider;
	readonly options: WebSocketOptions;
	readonly limits: AllLimits;
	readonly handlers: WebSocketHandlers;
	/** Undefined where messages are the application's own affair. */
	readonly table: RoutingTable | undefined;
	readonly requests: ClientRequests;
	readonly refusals: Refusals;
	readonly logger: Logger;
}

/** One WebSocket endpoint: what happens from an upgrade request to the end of its connection. */
export class WebSocketEndpoint implements SessionHost {
	readonly limits: AllLimits;
	readonly inbound: Inbound;
	readonly overdue: HandlerWatchdog;
	readonly #parts: EndpointParts;
	readonly #entrance: UpgradeHandler;
	readonly #adopter: SocketAdopter;
	readonly #guards: ConnectionGuards;
	readonly #gapNotices: GapNotices | undefined;
	readonly #undoNodeMessages: () => void;
	/** Sessions whose connection is gone, but whose messages are still being handled. */
	readonly #leaving = new Set<Session>();
	/** What guards may want to see of the requests that are about to open. */
	readonly #upgraded = new Map<Session, UpgradeRequest>();
	/** Close handlers that are not through. */
	readonly #goodbyes = new Set<Promise<unknown>>();

	/** @throws {ApplicationError} an option can't work */
	constructor(parts: EndpointParts) {
		const { provider, options, limits, handlers, table, requests, refusals, logger } = parts;
		this.#parts = parts;
		this.limits = limits;
		this.overdue = new HandlerWatchdog(() => this.#unfinished(), limits.handlerTimeoutMs);
		this.#entrance = new UpgradeHandler({
			options,
			limits,
			refusals,
			logger,
			connect: (arrival, server) => this.#connect(arrival, server),
		});
		this.#adopter = new SocketAdopter(provider, {
			onClose: ({ data }) => (data as Session).ending(),
			onHeldUp: ({ data }) => (data as Session).heldUp(),
		});
		this.#guards = new ConnectionGuards({
			guards: table?.guards ?? [],
			limits,
			refusals,
			logger,
			onPassed: (session) => this.#opened(session),
		});
		const { message } = handlers;
		const raw = new RawMessages(
			(ws, frame) => message?.call(handlers, ws, frame),
			(ws, error) => this.#failed('message', ws, error),
			refusals,
		);
		this.inbound =
			table === undefined
				? raw
				: new TypedMessages({
						provider,
						requests,
						limits,
						refusals,
						logger,
						authorize: options.authorize ?? {},
						hasGuards: table.guards.length > 0,
						routes: table.routes,
						raw: message === undefined ? undefined : raw,
						onBinary: (session) =>
							this.#end('binary', session, CloseCode.unsupportedData, 'binary messages are not taken'),
					});
		this.#gapNotices = table === undefined ? undefined : new GapNotices(provider);
		this.#undoNodeMessages = provider.onNodeMessage((text) => requests.heard(text));
	}

	/** Answers a request to the endpoint's path; undefined once it has become a WebSocket. */
	upgrade(req: BunRequest, server: Server<SocketData>): Promise<Response | undefined> {
		return this.#entrance.upgrade(req, server);
	}

	#connect({ req, data, slot, remoteAddress }: Arrival, server: Server<SocketData>): boolean {
		const session = new Session(this, data, slot);
		if (this.#guards.areAny) {
			// The request is over once it is a WebSocket.
			this.#upgraded.set(session, { headers: new Headers(req.headers), remoteAddress });
		}
		const isConnected = server.upgrade(req, { data: session });
		if (!isConnected) this.#upgraded.delete(session);
		return isConnected;
	}

	/** What Bun calls. */
	bunHandlers(): WebSocketHandler<SocketData> {
		const { handlers, options } = this.#parts;
		const { messageBytes, queuedBytes, idleTimeoutMs } = this.limits;
		const closes = options.slowReaders !== 'drop';
		return {
			maxPayloadLength: messageBytes,
			idleTimeout: Math.ceil(idleTimeoutMs / 1000),
			sendPings: true,
			// Slow readers are found at `queuedBytes`. What gets past that in one go meets this: without closing, Bun would drop
			// messages with no sign of it.
			backpressureLimit: closes ? 2 * queuedBytes + IN_ONE_GO_BYTES : queuedBytes,
			closeOnBackpressureLimit: closes,
			open: (raw) => this.#open(raw),
			message: (raw, frame) => (raw.data as Session).receive(frame),
			close: (raw, code, reason) => this.#closed(raw, code, reason),
			drain: async (raw) => {
				const ws = raw as unknown as AppSocket;
				const session = raw.data as Session;
				this.#caughtUp(session);
				if (!session.isOpen) return;
				try {
					await handlers.drain?.(ws);
				} catch (error) {
					this.#failed('drain', ws, error);
				}
			},
		};
	}

	#open(raw: WebSocketConnection): void {
		const session = raw.data as Session;
		session.attach(this.#adopter.adopt(raw));
		const request = this.#upgraded.get(session);
		if (request === undefined) {
			session.open();
			this.#opened(session);
			return;
		}
		this.#upgraded.delete(session);
		this.#guards.await(session, request);
	}

	begin(session: Session, frame: string | Buffer): void {
		this.#guards.begin(session, frame);
	}

	#opened(session: Session): void {
		const { provider, handlers } = this.#parts;
		const { ws } = session;
		// A failure is in the provider's log already.
		provider.addConnection(ws as unknown as WebSocketConnection).catch(() => {});
		if (handlers.open !== undefined) void this.#callOpen(ws);
		session.catchUp();
	}

	async #callOpen(ws: AppSocket): Promise<void> {
		try {
			await this.#parts.handlers.open?.(ws);
		} catch (error) {
			this.#failed('open', ws, error);
			if (isOpen(ws)) (ws.data as Session).end(CloseCode.internalError, 'open failed');
		}
	}

	#closed(raw: WebSocketConnection, code: number, reason: string): void {
		const session = raw.data as Session;
		const { provider, requests, refusals, handlers } = this.#parts;
		const refusal = code === ABNORMAL ? refusalOf(reason) : undefined;
		if (refusal !== undefined) refusals.add(refusal, { socketId: session.socketId, reason });
		this.#guards.forget(session);
		session.closed();
		this.#entrance.leave(session.slot);
		if (session.isBusy) this.#leaving.add(session);
		if (!session.wasOpened) return;
		provider.removeConnection(session.socketId);
		requests.left(session.socketId);
		if (handlers.close !== undefined) session.whenBegun(() => this.#callClose(session.ws, code, reason));
	}

	#callClose(ws: AppSocket, code: number, reason: string): void {
		let done: Promise<unknown> | undefined;
		try {
			done = promiseOf(this.#parts.handlers.close?.(ws, code, reason));
		} catch (error) {
			this.#failed('close', ws, error);
		}
		if (done === undefined) return;
		const running = done
			.catch((error: unknown) => this.#failed('close', ws, error))
			.finally(() => this.#goodbyes.delete(running));
		this.#goodbyes.add(running);
	}

	flooded(session: Session): void {
		this.#end(
			'flood',
			session,
			CloseCode.tooManyMessages,
			withRetryHint('too many messages', AFTER_FLOOD_MS * (0.5 + Math.random())),
		);
	}

	slow(session: Session): void {
		if (this.#parts.options.slowReaders === 'drop') this.foundSlow(session, Date.now());
		else this.#end('slowReader', session, CloseCode.tryAgainLater, 'reads too slowly');
	}

	/** The provider has found a slow reader, and has closed it unless messages to it are to be dropped. */
	foundSlow(session: Session, since: number): void {
		if (this.#parts.options.slowReaders === 'drop') {
			if (session.droppingSince !== undefined) return;
			session.droppingSince = since;
		}
		this.#parts.refusals.add('slowReader', { socketId: session.socketId });
	}

	/** It has read some of what was queued for it; once that is most of it, it can be told what it has missed. */
	#caughtUp(session: Session): void {
		const since = session.droppingSince;
		if (since === undefined || session.ws.getBufferedAmount() > this.limits.queuedBytes / 4) return;
		// What can't be told now is told another time, from the same moment on.
		if (this.#gapNotices?.tellOne(session, since) !== false) session.droppingSince = undefined;
	}

	#end(refusal: Refusal, session: Session, code: number, reason: string): void {
		this.#parts.refusals.add(refusal, { socketId: session.socketId });
		session.end(code, reason);
	}

	/** The sessions that may have something left to do. */
	*#unfinished(): Generator<Session> {
		for (const session of this.#leaving) {
			if (session.isBusy) yield session;
			else this.#leaving.delete(session);
		}
		// No list of our own: the provider knows those that are open, and the guards the others.
		for (const { data } of this.#parts.provider.getConnections()) if (data instanceof Session) yield data;
		yield* this.#guards.waiting;
	}

	/** Takes no more connections and turns away those who wait. */
	close(): void {
		this.#entrance.close();
	}

	/**
	 * Ends the connections there are and waits for their close handlers, until the deadline at the latest (by the monotonic clock, in
	 * milliseconds).
	 */
	async drain(deadline: number): Promise<void> {
		await drain([...this.#unfinished()], deadline);
		await settledWithin(deadline - performance.now(), Promise.all(this.#goodbyes));
	}

	/** Lets go of the provider. */
	dispose(): void {
		this.#gapNotices?.stop();
		this.#undoNodeMessages();
		this.#parts.requests.close();
		this.#guards.clear();
		this.overdue.stop();
	}

	#failed(handler: keyof WebSocketHandlers, ws: AppSocket, err: unknown): void {
		const { logger } = this.#parts;
		const details = { socketId: ws.data.socketId, err };
		if (handler !== 'close' && isBecauseItLeft(ws, err)) {
			logger.debug(`The ${handler} handler did not finish: its client had left`, details);
		} else {
			logger.error(`The ${handler} handler failed`, details);
		}
	}
}

/** The code with which a connection ends that was not closed by a close frame of the client. */
const ABNORMAL = 1006;

/** What Bun ends connections for by itself, by the reasons it gives to the close handler; a client can't have sent that code. */
function refusalOf(reason: string): Refusal | undefined {
	if (reason === 'WebSocket timed out from inactivity') return 'idle';
	if (reason === 'Received too big message') return 'messageSize';
	return reason.startsWith('Received ') ? 'frame' : undefined;
}

/** Clients leave when they like: that a handler then could not go on with its own socket is no fault. */
function isBecauseItLeft(ws: AppSocket, err: unknown): boolean {
	return err instanceof UnknownSocketError && err.socketId === ws.data.socketId && !isOpen(ws);
}

function isOpen(ws: AppSocket): boolean {
	return ws.readyState === WebSocket.OPEN;
}
