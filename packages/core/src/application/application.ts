import { InProcWsProvider, type Logger, type SocketData, type WebSocketProvider } from '@orijs/websocket';
import { FailureLog, rejected, show } from '@orijs/websocket/internal';
import type { Server } from 'bun';
import type { ConnectionData } from '../connection-data.ts';
import { checkHandlers, readWebSocketArguments } from '../endpoint/websocket-arguments.ts';
import { WebSocketEndpoint } from '../endpoint/websocket-endpoint.ts';
import { ApplicationError } from '../errors.ts';
import { withDefaults } from '../limits.ts';
import { type RefusalCounts, Refusals } from '../refusals.ts';
import { bindChosenPort } from '../reloading/generations.ts';
import { ClientRequests } from '../routing/client-requests.ts';
import { routingTable } from '../routing/routing-table.ts';
import { SocketRouter } from '../routing/socket-router.ts';
import { SocketSession } from '../session/socket-session.ts';
import type { StopSignal } from '../stopping/signals.ts';
import type { WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';
import {
	type ApplicationOptions,
	readApplicationOptions,
	readStopOptions,
	type StopOptions,
} from './application-options.ts';
import { checkHook, type Hook } from './hook.ts';
import { type Routes, startHttpServer } from './http-server.ts';
import { Lifecycle } from './lifecycle.ts';
import { type ListenOptions, readListenOptions } from './listen-options.ts';
import { checkRoutes } from './route-check.ts';
import { removeStaleSocket } from './stale-socket.ts';
import { ApplicationSocket } from './socket-emitter.ts';

const DEFAULT_PATH = '/ws';

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
	readonly #refusals: Refusals;
	readonly #lifecycle: Lifecycle;
	readonly #routes: Record<string, unknown> = {};
	readonly #routers: SocketRouter[] = [];
	#provider: WebSocketProvider | undefined;
	#options: WebSocketOptions = {};
	#handlers: WebSocketHandlers | undefined;
	#requests: ClientRequests | undefined;
	#socket: ApplicationSocket | undefined;

	/** @throws {ApplicationError} an option is unknown or invalid */
	constructor(options: ApplicationOptions = {}) {
		const { logger, signals, graceMs, readinessPath, readinessDelayMs } = readApplicationOptions(options);
		this.#logger = logger;
		this.#stopsOnSignals = signals;
		this.#graceMs = graceMs;
		this.#readinessPath = readinessPath;
		this.#readinessDelayMs = readinessDelayMs;
		this.#refusals = new Refusals(logger);
		this.#lifecycle = new Lifecycle(logger);
	}

	/**
	 * Adds HTTP routes, in the format of `Bun.serve`.
	 *
	 * @throws {ApplicationError} a path is already defined, or a route is invalid
	 */
	routes<TPath extends string>(routes: Routes<TPath>): this {
		this.#mustBeBuilding('routes');
		checkRoutes(routes);
		for (const [path, route] of Object.entries(routes)) {
			if (path in this.#routes) throw new ApplicationError(`routes(): ${path} is defined twice`);
			this.#routes[path] = route;
		}
		return this;
	}

	/**
	 * Adds the WebSocket endpoint. Without a provider, messages reach the sockets of this process only.
	 *
	 * @throws {ApplicationError} called twice, or an argument is invalid
	 */
	websocket<TNew extends ConnectionData = ConnectionData>(
		provider: WebSocketProvider | undefined,
		options?: WebSocketOptions<TNew>,
	): Application<TNew>;
	websocket<TNew extends ConnectionData = ConnectionData>(options?: WebSocketOptions<TNew>): Application<TNew>;
	websocket<TNew extends ConnectionData>(first?: unknown, second?: unknown): Application<TNew> {
		this.#mustBeBuilding('websocket');
		if (this.#provider !== undefined)
			throw new ApplicationError('websocket() was called twice; an application has one endpoint');
		const { provider, options } = readWebSocketArguments(first, second);
		const used = provider ?? new InProcWsProvider({ logger: this.#logger });
		this.#provider = used;
		this.#lifecycle.use(used);
		this.#options = options;
		const { pendingRequests } = withDefaults(options.limits);
		const calls = new FailureLog(this.#logger, () => true);
		this.#requests = new ClientRequests(used, pendingRequests, this.#refusals, calls);
		this.#socket = new ApplicationSocket(used, this.#requests);
		return this as unknown as Application<TNew>;
	}

	/**
	 * Sets the handlers of connections. Call it once, after `websocket`, which determines the type of the connections'
	 * data.
	 *
	 * @throws {ApplicationError} called twice or before `websocket`, or a handler is not a function
	 */
	onWebSocket(handlers: WebSocketHandlers<TData>): this {
		this.#mustBeBuilding('onWebSocket');
		if (this.#provider === undefined)
			throw new ApplicationError('onWebSocket() needs an endpoint: call websocket() first');
		if (this.#handlers !== undefined)
			throw new ApplicationError('onWebSocket() was called twice; pass all handlers in one object');
		checkHandlers(handlers);
		this.#handlers = handlers;
		return this;
	}

	/**
	 * Adds a router for typed messages. If there are several, they share each connection's state, and the guards of all
	 * of them must pass.
	 *
	 * @throws {ApplicationError} there is no endpoint yet, or the argument is not a `SocketRouter`
	 */
	socketRouter<TState extends object>(router: SocketRouter<TState>): this {
		this.#mustBeBuilding('socketRouter');
		if (this.#provider === undefined)
			throw new ApplicationError('socketRouter() needs an endpoint: call websocket() first');
		if (!(router instanceof SocketRouter))
			throw new ApplicationError(`socketRouter(): router must be a SocketRouter, not ${show(router)}`);
		this.#routers.push(router as unknown as SocketRouter);
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

	/** Sends messages to clients on any node. @throws {ApplicationError} the application has no endpoint */
	get socket(): ApplicationSocket {
		if (this.#socket === undefined) throw new ApplicationError('socket needs an endpoint: call websocket() first');
		return this.#socket;
	}

	/** Whether the application is stopping or has stopped; a readiness check should then fail. */
	get isStopping(): boolean {
		return this.#lifecycle.state === 'stopped';
	}

	/** The number of refusals of each kind since the application was created. */
	get refusals(): RefusalCounts {
		return this.#refusals.counts;
	}

	/**
	 * Starts the provider, runs the startup hooks, then starts the server. If a step fails, the steps before it are
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
		const endpoint = this.#createEndpoint();
		const { unix } = options;
		// Runs after the application's startup hooks, so that no file is removed if one of them fails.
		if (unix !== undefined) this.#lifecycle.onStartup(() => removeStaleSocket(unix));
		const serve = (at: ListenOptions): Server<SocketData> =>
			startHttpServer({
				at,
				routes: this.#routes,
				endpoint,
				path: this.#options.path ?? DEFAULT_PATH,
				readinessPath: this.#readinessPath,
				isReady: () => !this.isStopping,
				logger: this.#logger,
			});
		return this.#lifecycle.start({
			at: options,
			endpoint,
			serve: () =>
				options.port === 0 ? bindChosenPort(options.hostname, (port) => serve({ ...options, port })) : serve(options),
			slowReaders: {
				queuedBytes: withDefaults(this.#options.limits).queuedBytes,
				slowReaders: this.#options.slowReaders ?? 'close',
				onSlowReader: ({ data }, since) => data instanceof SocketSession && endpoint?.slowReaderDetected(data, since),
			},
			onSignal: this.#stopsOnSignals ? (signal) => this.#stopOn(signal) : undefined,
		});
	}

	/** @throws {ApplicationError} two routers handle the same message */
	#createEndpoint(): WebSocketEndpoint | undefined {
		if (this.#provider === undefined || this.#requests === undefined) return undefined;
		return new WebSocketEndpoint({
			provider: this.#provider,
			options: this.#options,
			limits: withDefaults(this.#options.limits),
			handlers: this.#handlers ?? {},
			table: routingTable(this.#routers),
			requests: this.#requests,
			refusals: this.#refusals,
			logger: this.#logger,
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
	 * 5. Shutdown hooks run, then the provider and the server stop.
	 *
	 * Steps 1 to 4 are cut short after `graceMs`. Hooks are always awaited; if one fails, the error is only logged.
	 * Later calls return the promise of the first. A call during `listen` makes `listen` reject.
	 *
	 * @throws {ApplicationError} an option is unknown or invalid, or the call was made in a shutdown hook, which `stop`
	 * would wait for
	 * @throws whatever the provider's `stop` throws; the server is stopped nevertheless
	 */
	stop(options: StopOptions = {}): Promise<void> {
		try {
			return this.#lifecycle.stop(readStopOptions(options, this.#graceMs));
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
