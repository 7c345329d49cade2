import {
	type ActionOptions,
	InvalidSocketDataError,
	type Logger,
	type ReauthorizeResult,
	type SocketData,
	type Target,
	type WebSocketConnection,
	type WebSocketProvider,
} from '@orijs/websocket';
import { FailureLog, isSpeaker, show, throttleOf } from '@orijs/websocket/internal';
import { SUBPROTOCOL } from '@orijs/websocket/protocol';
import { offersProtocol } from '../admission/subprotocols.ts';
import { ApplicationSocket } from '../application/socket-emitter.ts';
import type { ConnectionData } from '../connection-data.ts';
import { claimProvider, releaseProvider } from '../endpoint/provider-owner.ts';
import { ApplicationError } from '../errors.ts';
import { type RefusalCounts, Refusals } from '../refusals.ts';
import { ClientRequests } from '../routing/client-requests.ts';
import type { RoutingTable } from '../routing/routing-table.ts';
import type { SocketRouter } from '../routing/socket-router.ts';
import { GapForwarding, REACHABLE_WITHIN_MS } from '../session/gap-forwarding.ts';
import { readOptions, type SocketProtocolOptions, takeRouters } from './socket-protocol-options.ts';
import { WiredSessions } from './wired-sessions.ts';

/** A socket whose data is the state that handlers read; any data if they read none. */
type OwnSocket<TState> = WebSocketConnection<object extends TState ? unknown : TState>;

/** The options of `server.upgrade` for an accepted request. */
export interface AcceptedUpgrade<TData> {
	/** The header that confirms the subprotocol, if the client speaks the protocol. Others can be added. */
	readonly headers: Headers;
	readonly data: TData;
}

/**
 * Typed messages for a server whose own `fetch` upgrades and whose own handlers `open`, `message` and `close` add,
 * serve and remove connections. `SocketClient` becomes ready there, subscribes, sends and answers requests:
 *
 * ```ts
 * const protocol = new SocketProtocol(provider, { routers: [router], authorize });
 * const server = Bun.serve<SocketData>({
 *   fetch(req, server) {
 *     const data = { socketId: crypto.randomUUID(), data: {}, topics: new Set<string>() };
 *     if (server.upgrade(req, protocol.accept(req, data))) return;
 *     return new Response('Not Found', { status: 404 });
 *   },
 *   websocket: {
 *     open(ws) { protocol.open(ws); },
 *     message(ws, message) { if (!protocol.handle(ws, message)) { … } }, // a message of your own
 *     close(ws) { provider.removeConnection(ws.data.socketId); protocol.close(ws); },
 *   },
 * });
 * provider.setServer(server);
 * await provider.start();
 * ```
 *
 * The messages of each client are handled in order, one at a time. While too many wait for their handler, reading from
 * the socket is paused. What only a `SocketEndpoint` does: connection guards and hooks; `@auth` is answered, but
 * nothing checks its data. Checks of the `Origin`. Limits of connections, and of the rate of messages. `slowReaders`:
 * what the provider sends is bounded by the options of `provider.setServer`, and a client to which an answer can't be
 * sent any more is closed with 1013. Pings and `idleTimeoutMs`, apart from Bun's own. `onEvent`.
 * Draining when the server stops.
 *
 * @typeParam TState the application's own data for each connection (`ws.data.data`), which handlers read as `ctx.state`
 */
export class SocketProtocol<TState extends ConnectionData = ConnectionData> {
	/** Sends messages to clients on any node, and requests to those that speak the protocol. */
	readonly socket: ApplicationSocket;
	readonly #provider: WebSocketProvider;
	readonly #logger: Logger;
	readonly #refusals: Refusals;
	readonly #requests: ClientRequests;
	/** Logs failed calls whose promises are not awaited. */
	readonly #calls: FailureLog;
	readonly #sessions: WiredSessions;
	readonly #gapNotices: GapForwarding;
	/** As the owner of its routers. */
	readonly #life = { isStopping: false };

	/**
	 * @param provider the provider that connections are added to; no one else can use it until `stop`
	 * @throws {ApplicationError} an argument or option is invalid; a router is in use elsewhere, given twice or has
	 * connection guards; two routers handle the same message; or the provider is in use elsewhere
	 */
	constructor(provider: WebSocketProvider, options: SocketProtocolOptions<TState> = {}) {
		const { routers, authorize, presence, limits, logger } = readOptions(provider, options);
		claimProvider(provider, this, 'server');
		this.#provider = provider;
		this.#logger = logger;
		this.#refusals = new Refusals(logger);
		const { routes, unknown } = this.#take(routers);
		const refusals = this.#refusals;
		const calls = new FailureLog(logger, () => true);
		this.#calls = calls;
		this.#requests = new ClientRequests(provider, limits.pendingRequests, refusals, calls);
		this.socket = new ApplicationSocket(provider, this.#requests);
		const requests = this.#requests;
		const services = { provider, requests, limits, refusals, logger, authorize, presence, routes, unknown };
		const sessions = new WiredSessions(services);
		this.#sessions = sessions;
		this.#gapNotices = new GapForwarding(provider, (socket) => sessions.of(socket));
		this.#requests.open();
	}

	#take(routers: readonly SocketRouter[]): RoutingTable {
		try {
			return takeRouters(routers, this.#life);
		} catch (error) {
			this.#life.isStopping = true;
			releaseProvider(this.#provider, this);
			throw error;
		}
	}

	/** The number of refusals of each kind so far. Only those of messages occur. */
	get refusals(): RefusalCounts {
		return this.#refusals.counts;
	}

	/**
	 * Returns the options of `server.upgrade` for a request. If its client speaks the protocol, they have the header
	 * that confirms that, and `subprotocol` is set in `data`; otherwise, they are `data` as it is, without headers.
	 * Without this header, `SocketClient` reports that there is no endpoint at its URL.
	 *
	 * @param data for `ws.data`, with a new `socketId` from `crypto.randomUUID()`
	 * @throws {InvalidSocketDataError} `data` has no `socketId`, or can't be changed
	 * @throws {ApplicationError} `data.data`, which handlers read as `ctx.state`, is not an object; or the first
	 * argument is not a request
	 */
	accept<TData extends SocketData<TState>>(req: Request, data: TData): AcceptedUpgrade<TData> {
		mustBeRequest(req);
		mustBeSocketData(data);
		const headers = new Headers();
		const isSpoken = offersProtocol(req.headers.get(HEADER) ?? '');
		if (isSpoken) headers.set(HEADER, SUBPROTOCOL);
		if (isSpoken || isSpeaker({ data })) setSubprotocol(data, isSpoken ? SUBPROTOCOL : undefined);
		return { headers, data };
	}

	/**
	 * Adds a connection to the provider, as `provider.addConnection` does. In addition, a client that speaks the
	 * protocol is sent a gap notice if it could not be reached from other nodes for more than a moment, because the
	 * backend was slow or away. If the promise is not awaited, a failure is logged.
	 *
	 * @throws {ApplicationError} the argument is not a socket
	 * @throws whatever `addConnection` throws; if the socket is invalid or its id in use, it has been closed
	 */
	open(ws: OwnSocket<TState>): Promise<void> {
		mustBeSocket('open', ws);
		return this.#calls.watch(this.#open(ws as WebSocketConnection));
	}

	async #open(ws: WebSocketConnection): Promise<void> {
		const openedAt = performance.now();
		await this.#provider.addConnection(ws);
		const afterMs = performance.now() - openedAt;
		// Otherwise there is no session before the first frame.
		const session = afterMs > REACHABLE_WITHIN_MS ? this.#sessions.of(ws) : undefined;
		if (session !== undefined) this.#gapNotices.wasUnreachable(session, afterMs);
	}

	/**
	 * Handles a message of a client that speaks the protocol. Returns false, at once, if it is the application's own:
	 * from a plain client, binary, or text that is not a JSON object with a `type`. Such messages don't wait for the
	 * handlers of typed messages.
	 *
	 * Never throws because of what a client does. A socket that speaks the protocol but was not added to the provider is
	 * closed with 1011, and the error, an `UnknownSocketError` or `InvalidSocketDataError`, is logged.
	 *
	 * @throws {ApplicationError} the first argument is not a socket
	 */
	handle(ws: OwnSocket<TState>, message: string | Buffer): boolean {
		if (ws?.data?.subprotocol !== SUBPROTOCOL) {
			mustBeSocket('handle', ws);
			return false;
		}
		return typeof message === 'string' && this.#sessions.receive(ws, message);
	}

	/**
	 * Call it for each connection that has ended: requests that its client has not answered then fail at once, and
	 * `ctx.signal` is aborted. Messages that have arrived are still handled.
	 *
	 * @throws {ApplicationError} the argument is not a socket
	 */
	close(ws: OwnSocket<TState>): void {
		mustBeSocket('close', ws);
		this.#sessions.closed(ws);
		const socketId = ws.data?.socketId;
		if (socketId !== undefined) this.#requests.disconnect(socketId);
	}

	/**
	 * Asks `authorize.subscribe` again, on all nodes, about topics that clients have asked for: the same as
	 * `provider.cluster.reauthorize`. See `SocketEndpoint.reauthorize`.
	 *
	 * @throws everything that `cluster.reauthorize` throws
	 */
	reauthorize(target: Target, topic?: string, options?: ActionOptions): Promise<ReauthorizeResult> {
		return this.#provider.cluster.reauthorize(target, topic, options);
	}

	/**
	 * Refuses further messages with `stopping`, fails requests that clients have not answered, and releases the provider
	 * and the routers. It does not close connections, and does not stop the provider: do that afterwards. Later calls do
	 * nothing.
	 */
	stop(): void {
		if (this.#life.isStopping) return;
		this.#life.isStopping = true;
		this.#sessions.stop();
		this.#gapNotices.stop();
		this.#requests.close();
		releaseProvider(this.#provider, this);
		throttleOf(this.#logger).flush();
	}
}

const HEADER = 'Sec-WebSocket-Protocol';

function setSubprotocol(data: { subprotocol?: string | undefined }, subprotocol: string | undefined): void {
	data.subprotocol = subprotocol;
}

function mustBeRequest(req: unknown): void {
	if (typeof (req as Partial<Request> | undefined)?.headers?.get === 'function') return;
	throw new ApplicationError(`accept(): pass the request and the data of its socket, not ${show(req)}`);
}

function mustBeSocketData(data: SocketData): void {
	if (typeof data !== 'object' || data === null || data.socketId === undefined || Object.isFrozen(data))
		throw new InvalidSocketDataError(data);
	if (typeof data.data === 'object' && data.data !== null) return;
	throw new ApplicationError(
		`accept(): data.data must be an object, which handlers find in ctx.state, not ${show(data.data)}`,
	);
}

function mustBeSocket(call: string, ws: unknown): void {
	if (typeof (ws as Partial<WebSocketConnection> | undefined)?.send === 'function') return;
	throw new ApplicationError(
		`${call}(): pass the ws that Bun passes to ${call === 'handle' ? 'message' : call}, not ${show(ws)}`,
	);
}
