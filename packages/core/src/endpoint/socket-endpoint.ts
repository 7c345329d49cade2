import {
	type ActionOptions,
	type Cluster,
	InProcWsProvider,
	type Presence,
	type ReauthorizeResult,
	type SocketData,
	type Target,
	type WebSocketProvider,
} from '@orijs/websocket';
import { rejected, show, throttleOf } from '@orijs/websocket/internal';
import type { Server, WebSocketHandler } from 'bun';
import { unavailable } from '../admission/unavailable.ts';
import type { ApplicationSocket } from '../application/socket-emitter.ts';
import type { ConnectionData } from '../connection-data.ts';
import { ApplicationError } from '../errors.ts';
import type { RefusalCounts } from '../refusals.ts';
import { forget, replaceEarlier, type Replaceable } from '../reloading/generations.ts';
import { IS_HOT } from '../reloading/hot-state.ts';
import { retire } from '../reloading/retire.ts';
import type { EndpointEventListener } from '../routing/endpoint-event.ts';
import type { SocketRouter } from '../routing/socket-router.ts';
import { readGraceMs } from '../stopping/grace-period.ts';
import { FaultLog } from '../support/fault-log.ts';
import { type PathMatcher, pathMatcher } from '../support/path-matcher.ts';
import type { SocketEndpointOptions, WebSocketHandlers } from '../websocket-options.ts';
import { EndpointSetup } from './endpoint-setup.ts';
import { asRouted, respondWithCookies } from './fetched-request.ts';
import { serverHandlers } from './server-handlers.ts';
import { StandaloneServer } from './standalone-server.ts';
import { readEndpointArguments } from './websocket-arguments.ts';
import type { WebSocketEndpoint } from './websocket-endpoint.ts';

export interface EndpointStopOptions {
	/** How long to wait for connections, handlers and requests, in milliseconds. Default 10,000. */
	readonly graceMs?: number;
}

/** `stopped` as soon as `stop` is called. After a start that failed, the endpoint is `building` again. */
type EndpointState = 'building' | 'starting' | 'started' | 'stopped';

/** Makes an endpoint part of an application, and returns its configuration. */
export let own: (endpoint: SocketEndpoint<any>) => EndpointSetup;
/** Returns the configuration of an endpoint whose handlers a server gets. @throws {ApplicationError} it is owned */
export let serve: (endpoint: SocketEndpoint<any>, call: string) => EndpointSetup;

/**
 * A WebSocket endpoint for a server of one's own: `Bun.serve`, Hono, Elysia. Configure it, give the server its `handle`
 * and its `websocket`, then `start` it with the server.
 *
 * @typeParam TData the application's own data for each connection, as returned by `upgrade`
 */
export class SocketEndpoint<TData extends ConnectionData = ConnectionData> {
	readonly #setup: EndpointSetup;
	readonly #matches: PathMatcher;
	#state: EndpointState = 'building';
	#server: StandaloneServer | undefined;
	/** Whether a server may have the handlers. */
	#isServed = false;
	/** Under `bun --hot`, newer code stops this endpoint before it starts its own. */
	readonly #replaceable: Replaceable = { retire: () => this.#retire(), chosenPort: undefined };
	#isRetired = false;
	#starting: Promise<void> | undefined;
	#stopping: Promise<void> | undefined;

	static {
		own = (endpoint) => {
			const setup = endpoint.#setup;
			setup.isOwned = true;
			return setup;
		};
		serve = (endpoint, call) => {
			endpoint.#mustStandAlone(call);
			endpoint.#isServed = true;
			return endpoint.#setup;
		};
	}

	/**
	 * @param provider carries messages to the sockets of all nodes. Several endpoints of a server can share it, and with
	 * it their topics. Without a provider, messages reach the sockets of this process only
	 * @throws {ApplicationError} an argument is invalid, or an option is unknown or invalid
	 */
	constructor(provider: WebSocketProvider | undefined, options?: SocketEndpointOptions<TData>);
	constructor(options?: SocketEndpointOptions<TData>);
	constructor(first?: unknown, second?: unknown) {
		const { provider, options, logger } = readEndpointArguments(first, second);
		this.#setup = new EndpointSetup(provider ?? new InProcWsProvider({ logger }), options, logger);
		this.#matches = pathMatcher(this.#setup.path);
	}

	/**
	 * Sets the handlers of connections.
	 *
	 * @throws {ApplicationError} called twice or after the start, or a handler is not a function
	 */
	onWebSocket(handlers: WebSocketHandlers<TData>): this {
		this.#setup.setHandlers(handlers);
		return this;
	}

	/**
	 * Adds a router for typed messages. If there are several, they share each connection's state, and the guards of all
	 * of them must pass. A router belongs to one endpoint.
	 *
	 * @throws {ApplicationError} called after the start, or the argument is not a `SocketRouter`, or one that another
	 * endpoint uses
	 */
	socketRouter<TState extends object>(router: SocketRouter<TState>): this {
		this.#setup.addRouter(router);
		return this;
	}

	/**
	 * Adds a listener for what becomes of each typed message: handled, refused or failed, and how long that took. See
	 * {@link EndpointEvent}. Without listeners, nothing is measured.
	 *
	 * @throws {ApplicationError} called after the start, or the listener is not a function
	 */
	onEvent(listener: EndpointEventListener): this {
		this.#setup.addListener(listener);
		return this;
	}

	/** Sends messages to clients on any node, including those of other endpoints with the same provider. */
	get socket(): ApplicationSocket {
		return this.#setup.socket;
	}

	/**
	 * All nodes as one: `disconnect`, `subscribe`, `unsubscribe` and `connections` for sockets wherever they are,
	 * counts, and messages between nodes. The same as `provider.cluster`: it includes other endpoints of the provider.
	 */
	get cluster(): Cluster {
		return this.#setup.provider.cluster;
	}

	/**
	 * Who is present in topics, on all nodes: members, counts and changes. The same as `provider.presence`: it includes
	 * other endpoints of the provider.
	 */
	get presence(): Presence {
		return this.#setup.provider.presence;
	}

	/**
	 * Asks `authorize.subscribe` again, now, on all nodes, about topics that clients have asked for and were allowed. A
	 * client that may no longer be in one is unsubscribed and told the code and the message; so it is if the decision
	 * fails or takes longer than `limits.handlerTimeoutMs`. Requests that are being decided are decided again. Topics
	 * that the server has subscribed a client to are its own affair: see `cluster.unsubscribe`. `presence.authorize` is
	 * asked again as well, about topics whose members clients watch; the result does not count these. The same as
	 * `cluster.reauthorize`: other endpoints of the provider ask too.
	 *
	 * @param target whose rights to ask about: those of a connection, a user (`ctx.userId`), all who are in a topic, or
	 * of everyone
	 * @param topic default: all topics that the clients have asked for
	 * @throws everything that `cluster.reauthorize` throws
	 */
	reauthorize(target: Target, topic?: string, options?: ActionOptions): Promise<ReauthorizeResult> {
		return this.cluster.reauthorize(target, topic, options);
	}

	/** The number of refusals of each kind since the endpoint was created. */
	get refusals(): RefusalCounts {
		return this.#setup.refusals.counts;
	}

	/** The handlers and limits for `Bun.serve({ websocket })`. For several endpoints, see {@link handlers}. */
	get websocket(): WebSocketHandler<SocketData> {
		return serverHandlers(serve(this, 'websocket'));
	}

	/**
	 * Handles a request to the endpoint's path, usually an upgrade. Returns undefined at once for any other path:
	 *
	 * ```ts
	 * fetch: (req, server) => endpoint.handle(req, server) ?? app.fetch(req, server),
	 * ```
	 *
	 * The promise resolves with undefined once the request has become a WebSocket, and with the response otherwise: 503
	 * before the endpoint has started and after it was stopped.
	 */
	handle(req: Request, server: Server<SocketData>): Promise<Response | undefined> | undefined {
		const params = this.#matches(req.url);
		return params === undefined ? undefined : this.#handle(req, server, params);
	}

	async #handle(
		req: Request,
		server: Server<SocketData>,
		params: Readonly<Record<string, string>>,
	): Promise<Response | undefined> {
		const { running, refusals } = this.#setup;
		if (running === undefined) return unavailable(req, refusals, this.#state === 'stopped' ? 'stopping' : 'notStarted');
		if (this.#server?.is(server) !== true) return this.#refuseOther();
		const response = await running.upgrade(asRouted(req, params), server);
		return response === undefined ? undefined : respondWithCookies(response, req);
	}

	/** Refuses a request that came to another server: its sockets would receive nothing that is published. */
	#refuseOther(): Response {
		const { refusals, logger } = this.#setup;
		refusals.count('miswired');
		new FaultLog(logger).wrong(
			'A connection was refused: its server is not the one that was passed to start(). An endpoint serves one server; ' +
				'for another one, create another endpoint with a provider of its own',
			'Connections were refused: their server is not the one that was passed to start()',
			{},
		);
		return new Response('Internal Server Error', { status: 500 });
	}

	/**
	 * Starts the provider, then accepts connections. Endpoints that share a provider share its start: the first one
	 * starts it. If starting fails, it can be tried again.
	 *
	 * @param server the server whose `fetch` calls `handle`, and whose `websocket` comes from this endpoint
	 * @throws {ApplicationError} called twice, interrupted by `stop`, or `server` is not a server; `websocket` was never
	 * read, so no server can have it; it has another endpoint with the same path or other `slowReaders`; the
	 * provider is in use elsewhere; two routers handle the same message; or `unknownMessages` does not fit the handlers.
	 * Nothing has been started
	 * @throws whatever the provider's `start` throws
	 */
	async start(server: Server<SocketData>): Promise<void> {
		this.#mustStandAlone('start()');
		this.#mayStart(server);
		const group = StandaloneServer.of(server);
		group.add(this.#setup);
		this.#server = group;
		this.#state = 'starting';
		this.#starting = this.#start(group);
		try {
			await this.#starting;
		} catch (error) {
			// The code that newer code replaces must not continue, and nothing has failed.
			if (this.#isRetired) return new Promise(() => {});
			throw error;
		}
	}

	async #start(group: StandaloneServer): Promise<void> {
		const setup = this.#setup;
		let created: WebSocketEndpoint | undefined;
		try {
			if (IS_HOT && !(await replaceEarlier(this.#replaceable))) this.#isRetired = true;
			if (this.#isRetired) throw interrupted();
			created = setup.create();
			await setup.provider.start();
			if (this.#stopping !== undefined) throw interrupted();
			setup.running = created;
			group.configure(setup.provider);
			this.#state = 'started';
		} catch (error) {
			await this.#rollBack(group, created);
			throw this.#stopping === undefined ? error : interrupted();
		}
	}

	#mayStart(server: unknown): asserts server is Server<SocketData> {
		if (this.#state === 'stopped') throw new ApplicationError('start(): the endpoint has stopped; create another one');
		if (this.#state !== 'building') throw new ApplicationError('start() was called twice; an endpoint starts once');
		if (typeof (server as Partial<Server<SocketData>> | undefined)?.upgrade !== 'function')
			throw new ApplicationError(`start(): pass the server that Bun.serve() has returned, not ${show(server)}`);
		if (this.#isServed) return;
		throw new ApplicationError(
			'start(): the server does not have the handlers of this endpoint: pass websocket: endpoint.websocket to Bun.serve, ' +
				'or handlers(a, b) for several endpoints',
		);
	}

	/** Undoes a failed start. Never rejects: the caller reports the failure of the start itself. */
	async #rollBack(group: StandaloneServer, created: WebSocketEndpoint | undefined): Promise<void> {
		const setup = this.#setup;
		created?.dispose();
		setup.notStarted();
		forget(this.#replaceable);
		try {
			await group.remove(setup);
		} catch (err) {
			setup.logger.error('The provider could not be stopped after start() failed', { err });
		}
		if (this.#stopping === undefined) this.#state = 'building';
	}

	/**
	 * Stops the endpoint, and leaves the server running:
	 *
	 * 1. Upgrades are refused (503 with `Retry-After`).
	 * 2. Messages that have arrived are handled, and outgoing messages are flushed.
	 * 3. The endpoint's sockets are closed in waves, with 1012 and a hint about when to reconnect.
	 * 4. The provider stops, unless another endpoint still uses it.
	 *
	 * Steps 2 and 3 are cut short after `graceMs`. Later calls return the promise of the first. A call during `start`
	 * makes `start` reject.
	 *
	 * @throws {ApplicationError} an option is unknown or invalid, or the endpoint belongs to an application
	 * @throws whatever the provider's `stop` throws
	 */
	stop(options: EndpointStopOptions = {}): Promise<void> {
		try {
			this.#mustStandAlone('stop()');
			const graceMs = readGraceMs(options);
			// The process may exit afterwards, and entries that are not written yet would be lost.
			this.#stopping ??= this.#stop(graceMs).finally(() => throttleOf(this.#setup.logger).flush());
			return this.#stopping;
		} catch (error) {
			return rejected(error as Error);
		}
	}

	async #stop(graceMs: number): Promise<void> {
		const setup = this.#setup;
		const { running } = setup;
		this.#state = 'stopped';
		if (running === undefined) return this.#stopEarly();
		const deadline = performance.now() + graceMs;
		// Called first, while clients are still connected and can receive gap notices.
		setup.provider.flushGaps();
		running.close();
		await running.drain(deadline);
		running.dispose();
		forget(this.#replaceable);
		await this.#server?.remove(setup);
	}

	#retire(): Promise<void> {
		this.#isRetired = true;
		return retire('endpoint', (graceMs) => this.stop({ graceMs }), this.#setup.logger);
	}

	/** Stops an endpoint that has not started yet. A start in progress then fails. */
	async #stopEarly(): Promise<void> {
		try {
			await this.#server?.remove(this.#setup);
		} finally {
			await this.#starting?.catch(() => {});
			this.#setup.end();
		}
	}

	#mustStandAlone(call: string): void {
		if (this.#setup.isOwned)
			throw new ApplicationError(`${call}: the endpoint belongs to an application, which serves, starts and stops it`);
	}
}

function interrupted(): ApplicationError {
	return new ApplicationError('stop() was called during start()');
}
