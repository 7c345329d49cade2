import {
	type ActionOptions,
	type Cluster,
	InProcWsProvider,
	type Logger,
	type Presence,
	type ReauthorizeResult,
	type SocketData,
	type Target,
	type WebSocketProvider,
} from '@orijs/websocket';
import { rejected, show } from '@orijs/websocket/internal';
import type { Server } from 'bun';
import type { ConnectionData } from '../connection-data.ts';
import type { EndpointSetup } from '../endpoint/endpoint-setup.ts';
import { mustFitTogether } from '../endpoint/fitting-endpoints.ts';
import { own, SocketEndpoint } from '../endpoint/socket-endpoint.ts';
import { readEndpointOfArguments, readWebSocketArguments } from '../endpoint/websocket-arguments.ts';
import { ApplicationError } from '../errors.ts';
import { type RefusalCounts, totalRefusals } from '../refusals.ts';
import { bindChosenPort } from '../reloading/generations.ts';
import type { EndpointEventListener } from '../routing/endpoint-event.ts';
import type { SocketRouter } from '../routing/socket-router.ts';
import type { StopSignal } from '../stopping/signals.ts';
import type { WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';
import {
	type ApplicationOptions,
	readApplicationOptions,
	readStopOptions,
	type StopOptions,
} from './application-options.ts';
import { createEndpoints } from './create-endpoints.ts';
import { checkHook, type Hook } from './hook.ts';
import { type FetchHandler, type Routes, startHttpServer } from './http-server.ts';
import { Lifecycle } from './lifecycle.ts';
import { type ListenOptions, readListenOptions } from './listen-options.ts';
import { reauthorizeAll } from './reauthorize-all.ts';
import { checkRoutes } from './route-check.ts';
import { withCheckedResult, withCheckedResults } from './route-results.ts';
import { removeStaleSocket } from './stale-socket.ts';
import type { ApplicationSocket } from './socket-emitter.ts';

/** The options of a further endpoint, whose path is an argument of its own. */
export type EndpointOptions<TData extends ConnectionData = ConnectionData> = Omit<WebSocketOptions<TData>, 'path'>;

/**
 * An HTTP and WebSocket server on Bun: configure it, then `listen`, then `stop`. The methods that configure it can be
 * chained. They throw an {@link ApplicationError} if called after `listen`.
 *
 * @typeParam TData the application's own data for each connection, as returned by `upgrade`
 */
export class Application<TData extends ConnectionData = ConnectionData> {
	readonly #logger: Logger;
	readonly #stopsOnSignals: boolean;
	readonly #graceMs: number;
	readonly #readinessPath: string | false;
	readonly #readinessDelayMs: number;
	readonly #lifecycle: Lifecycle;
	readonly #routes: Record<string, unknown> = {};
	/** All endpoints, in the order added. */
	readonly #setups: EndpointSetup[] = [];
	/** The endpoint of `websocket()`. */
	#main: SocketEndpoint<TData> | undefined;
	/** The provider of `websocket()`, which further endpoints share unless they have their own. */
	#provider: WebSocketProvider | undefined;
	#fetch: FetchHandler | undefined;

	/** @throws {ApplicationError} an option is unknown or invalid */
	constructor(options: ApplicationOptions = {}) {
		const { logger, signals, graceMs, readinessPath, readinessDelayMs } = readApplicationOptions(options);
		this.#logger = logger;
		this.#stopsOnSignals = signals;
		this.#graceMs = graceMs;
		this.#readinessPath = readinessPath;
		this.#readinessDelayMs = readinessDelayMs;
		this.#lifecycle = new Lifecycle(logger);
	}

	/**
	 * Adds HTTP routes, in the format of `Bun.serve`. A handler that throws, rejects or returns anything but a
	 * `Response` answers 500, and the log says so.
	 *
	 * @throws {ApplicationError} a path is already defined, or a route is invalid
	 */
	routes<TPath extends string>(routes: Routes<TPath>): this {
		this.#mustBeBuilding('routes');
		checkRoutes(routes);
		for (const [path, route] of Object.entries(routes)) {
			if (path in this.#routes) throw new ApplicationError(`routes(): ${path} is defined twice`);
			this.#routes[path] = withCheckedResults(path, route);
		}
		return this;
	}

	/**
	 * Sets the handler of all requests that neither a route nor an endpoint takes, such as `hono.fetch`. Default: 404.
	 * Like the handlers of routes, it answers 500 unless it returns a `Response`.
	 *
	 * @throws {ApplicationError} called twice, or the handler is not a function
	 */
	fetch(handler: FetchHandler): this {
		this.#mustBeBuilding('fetch');
		if (typeof handler !== 'function')
			throw new ApplicationError(`fetch(): handler must be a function, not ${show(handler)}`);
		if (this.#fetch !== undefined)
			throw new ApplicationError('fetch() was called twice; an application has one handler');
		this.#fetch = withCheckedResult('The handler of fetch()', handler as never) as FetchHandler;
		return this;
	}

	/**
	 * Adds the WebSocket endpoint. Without a provider, messages reach the sockets of this process only.
	 *
	 * @throws {ApplicationError} called twice, or an argument is invalid
	 */
	websocket<TNew extends ConnectionData = ConnectionData>(
		provider: WebSocketProvider | undefined,
		options: WebSocketOptions<TNew> | undefined,
	): Application<TNew>;
	// One overload for each number of arguments, so that the compiler's errors are about the one that was meant.
	websocket<TNew extends ConnectionData = ConnectionData>(
		providerOrOptions?: WebSocketProvider | WebSocketOptions<TNew>,
	): Application<TNew>;
	websocket<TNew extends ConnectionData>(first?: unknown, second?: unknown): Application<TNew> {
		this.#mustBeBuilding('websocket');
		if (this.#main !== undefined)
			throw new ApplicationError('websocket() was called twice; add further endpoints with endpoint(path)');
		const { provider, options } = readWebSocketArguments('websocket', first, second);
		const used = provider ?? new InProcWsProvider({ logger: this.#logger });
		this.#main = this.#add('websocket', used, options) as unknown as SocketEndpoint<TData>;
		this.#provider = used;
		return this as unknown as Application<TNew>;
	}

	/**
	 * Adds a further WebSocket endpoint, with its own options, handlers and routers, and returns it to be configured.
	 * Unless it has a provider of its own, it shares the one of `websocket`, and with it the topics. The application
	 * starts and stops it.
	 *
	 * ```ts
	 * app.endpoint('/admin', { allowedOrigins: ['https://admin.example.com'] }).socketRouter(admin);
	 * ```
	 *
	 * @throws {ApplicationError} another endpoint has the path or other `slowReaders`, there is no provider, or an
	 * argument is invalid
	 */
	endpoint<TNew extends ConnectionData = ConnectionData>(
		path: string,
		provider: WebSocketProvider,
		options?: EndpointOptions<TNew>,
	): SocketEndpoint<TNew>;
	endpoint<TNew extends ConnectionData = ConnectionData>(
		path: string,
		options?: EndpointOptions<TNew>,
	): SocketEndpoint<TNew>;
	endpoint<TNew extends ConnectionData>(path: string, first?: unknown, second?: unknown): SocketEndpoint<TNew> {
		this.#mustBeBuilding('endpoint');
		const { provider = this.#provider, options } = readEndpointOfArguments(path, first, second);
		if (provider === undefined) {
			throw new ApplicationError(
				'endpoint() needs a provider: call websocket() first to share its provider, or pass one, as in ' +
					`endpoint('/admin', new InProcWsProvider())`,
			);
		}
		return this.#add('endpoint', provider, options);
	}

	#add(call: string, provider: WebSocketProvider, options: WebSocketOptions): SocketEndpoint {
		const endpoint = new SocketEndpoint(provider, { ...options, logger: this.#logger });
		const setup = own(endpoint);
		mustFitTogether(`${call}()`, [...this.#setups, setup]);
		this.#setups.push(setup);
		this.#lifecycle.use(provider);
		return endpoint;
	}

	/**
	 * Sets the handlers of connections. Call it once, after `websocket`, which determines the type of the connections'
	 * data.
	 *
	 * @throws {ApplicationError} called twice or before `websocket`, or a handler is not a function
	 */
	onWebSocket(handlers: WebSocketHandlers<TData>): this {
		this.#mustBeBuilding('onWebSocket');
		if (this.#main === undefined) throw new ApplicationError('onWebSocket() needs an endpoint: call websocket() first');
		this.#main.onWebSocket(handlers);
		return this;
	}

	/**
	 * Adds a router for typed messages. If there are several, they share each connection's state, and the guards of all
	 * of them must pass. A router belongs to one application; once that has stopped, it may be given to another.
	 *
	 * @throws {ApplicationError} there is no endpoint yet, the argument is not a `SocketRouter`, or it was already added
	 * here or to another application
	 */
	socketRouter<TState extends object>(router: SocketRouter<TState>): this {
		this.#mustBeBuilding('socketRouter');
		if (this.#main === undefined)
			throw new ApplicationError('socketRouter() needs an endpoint: call websocket() first');
		this.#main.socketRouter(router);
		return this;
	}

	/**
	 * Adds a listener for what becomes of each typed message: handled, refused or failed, and how long that took. See
	 * {@link EndpointEvent}. Without listeners, nothing is measured.
	 *
	 * @throws {ApplicationError} the listener is not a function
	 */
	onEvent(listener: EndpointEventListener): this {
		this.#mustBeBuilding('onEvent');
		if (this.#main === undefined) throw new ApplicationError('onEvent() needs an endpoint: call websocket() first');
		this.#main.onEvent(listener);
		return this;
	}

	/**
	 * Adds a hook that runs after the provider has started and before the server listens. Hooks run one after the other,
	 * in the order added; if one fails, `listen` rejects.
	 */
	onStartup(hook: Hook): this {
		this.#mustBeBuilding('onStartup');
		checkHook('onStartup', hook);
		this.#lifecycle.onStartup(hook);
		return this;
	}

	/**
	 * Adds a hook that runs when the application stops, after its sockets have closed and before the provider stops.
	 * Hooks run one after the other, in reverse order. If one fails, the error is logged and the others still run.
	 */
	onShutdown(hook: Hook): this {
		this.#mustBeBuilding('onShutdown');
		checkHook('onShutdown', hook);
		this.#lifecycle.onShutdown(hook);
		return this;
	}

	/**
	 * Sends messages to clients on any node, through the provider of `websocket`. Endpoints with providers of their own
	 * have their own `socket`.
	 *
	 * @throws {ApplicationError} `websocket` was not called
	 */
	get socket(): ApplicationSocket {
		if (this.#main === undefined) throw new ApplicationError('socket needs an endpoint: call websocket() first');
		return this.#main.socket;
	}

	/**
	 * All nodes as one, as the provider of `websocket` knows them: see {@link SocketEndpoint.cluster}.
	 *
	 * @throws {ApplicationError} `websocket` was not called
	 */
	get cluster(): Cluster {
		if (this.#main === undefined) throw new ApplicationError('cluster needs an endpoint: call websocket() first');
		return this.#main.cluster;
	}

	/**
	 * Who is present in topics, on all nodes, as the provider of `websocket` knows it. See
	 * {@link SocketEndpoint.presence}.
	 *
	 * @throws {ApplicationError} `websocket` was not called
	 */
	get presence(): Presence {
		if (this.#main === undefined) throw new ApplicationError('presence needs an endpoint: call websocket() first');
		return this.#main.presence;
	}

	/**
	 * Asks `authorize.subscribe` again, on all nodes and at all endpoints, about topics that clients have asked for. See
	 * {@link SocketEndpoint.reauthorize}. If endpoints have providers of their own, the result has the sums.
	 *
	 * @throws {ApplicationError} there is no endpoint
	 * @throws everything that `cluster.reauthorize` throws
	 */
	reauthorize(target: Target, topic?: string, options?: ActionOptions): Promise<ReauthorizeResult> {
		const providers = new Set(this.#setups.map(({ provider }) => provider));
		return reauthorizeAll([...providers], target, topic, options);
	}

	/** Whether the application is stopping or has stopped; a readiness check should then fail. */
	get isStopping(): boolean {
		return this.#lifecycle.state === 'stopped';
	}

	/** The number of refusals of each kind since the application was created, at all its endpoints. */
	get refusals(): RefusalCounts {
		return totalRefusals(this.#setups.map(({ refusals }) => refusals));
	}

	/**
	 * Starts the providers, runs the startup hooks, then starts the server. If a step fails, the steps before it are
	 * undone and the promise rejects with that step's error.
	 *
	 * @param at a port, or where to listen; default port 3000
	 * @throws {ApplicationError} called twice, interrupted by `stop`, or another server listens on the Unix socket. Also
	 * if an argument or the routers are invalid; then nothing has been started
	 */
	listen(at?: number | ListenOptions): Promise<Server<SocketData>>;
	async listen(...given: readonly unknown[]): Promise<Server<SocketData>> {
		this.#mustBeBuilding('listen');
		const options = readListenOptions(given);
		const endpoints = createEndpoints(this.#setups);
		const { unix } = options;
		// Runs after the application's startup hooks, so that no file is removed if one of them fails.
		if (unix !== undefined) this.#lifecycle.onStartup(() => removeStaleSocket(unix));
		const serve = (at: ListenOptions): Server<SocketData> =>
			startHttpServer({
				at,
				routes: this.#routes,
				endpoints: this.#setups,
				fetch: this.#fetch,
				readinessPath: this.#readinessPath,
				isReady: () => !this.isStopping,
				logger: this.#logger,
			});
		return this.#lifecycle.start({
			at: options,
			endpoints,
			serve: () =>
				options.port === 0 ? bindChosenPort(options.hostname, (port) => serve({ ...options, port })) : serve(options),
			onSignal: this.#stopsOnSignals ? (signal) => this.#stopOn(signal) : undefined,
		});
	}

	#stopOn(signal: StopSignal): Promise<void> {
		// SIGTERM comes from an orchestrator. SIGINT comes from a terminal, where no balancer has to notice the stop.
		return this.stop({ readinessDelayMs: signal === 'SIGTERM' ? this.#readinessDelayMs : 0 });
	}

	/**
	 * Stops in order:
	 *
	 * 0. For `readinessDelayMs`, the readiness route answers 503 and everything else continues.
	 * 1. Upgrades are refused (503 with `Retry-After`).
	 * 2. Messages that have arrived are handled, and outgoing messages are flushed.
	 * 3. Sockets are closed in waves, with 1012 and a hint about when to reconnect.
	 * 4. New HTTP requests are refused, and those in flight finish.
	 * 5. Shutdown hooks run, then the providers and the server stop.
	 *
	 * Steps 1 to 4 are cut short after `graceMs`. Hooks are always awaited; if one fails, the error is only logged.
	 * Later calls return the promise of the first. A call during `listen` makes `listen` reject.
	 *
	 * @throws {ApplicationError} an option is unknown or invalid, or the call was made in a shutdown hook, which `stop`
	 * would wait for
	 * @throws whatever a provider's `stop` throws; the server is stopped nevertheless
	 */
	stop(options: StopOptions = {}): Promise<void> {
		try {
			const read = readStopOptions(options, this.#graceMs);
			if (this.#lifecycle.state === 'building') for (const setup of this.#setups) setup.end();
			return this.#lifecycle.stop(read);
		} catch (error) {
			return rejected(error as Error);
		}
	}

	#mustBeBuilding(call: string): void {
		const { state } = this.#lifecycle;
		if (state === 'building') return;
		if (call !== 'listen') throw new ApplicationError(`${call}() must come before listen()`);
		throw new ApplicationError(
			state === 'stopped'
				? 'listen(): the application has stopped, or could not start; create another one'
				: 'listen() was called twice; an application listens once',
		);
	}
}
