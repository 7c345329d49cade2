import {
	consoleLogger,
	InProcWsProvider,
	type Logger,
	safely,
	type SocketData,
	type WebSocketProvider,
} from '@orijs/websocket';
import type { BunRequest, Server } from 'bun';
import { ApplicationSocket } from './socket-emitter.ts';
import type { ConnectionData } from '../connection-data.ts';
import { ApplicationError } from '../errors.ts';
import { checkHook, type Hook } from './hook.ts';
import type { ListenOptions, Routes } from './http.ts';
import { MAX_DELAY_MS, withDefaults } from '../limits.ts';
import { type RefusalCounts, Refusals } from '../refusals.ts';
import { ClientRequests } from '../routing/client-requests.ts';
import { quiet } from '../support/quiet.ts';
import { routingTable } from '../routing/routing-table.ts';
import { SocketRouter } from '../routing/socket-router.ts';
import { Session } from '../session/session.ts';
import { settledWithin } from '../support/settled-within.ts';
import { show } from '../support/show.ts';
import { stopOnSignals } from '../stopping/signals.ts';
import { checkHandlers, readWebSocketArguments } from '../endpoint/websocket-arguments.ts';
import { WebSocketEndpoint } from '../endpoint/websocket-endpoint.ts';
import type { WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';
import { whereToListen } from './where-to-listen.ts';

export interface ApplicationOptions {
	/** Default: the console, quiet at debug. */
	readonly logger?: Logger;
	/**
	 * Whether SIGTERM and SIGINT stop the application once it listens; the process then exits with 0, or with 1 if it could not stop in
	 * order or a second signal came. Where the program listens to the signal itself, the exit is left to it. Default true.
	 */
	readonly signals?: boolean;
	/** What `stop` allows for connections, handlers and requests to end, in milliseconds, also on a signal. Default 10,000. */
	readonly graceMs?: number;
}

export interface StopOptions {
	/** How long connections, handlers and requests may take to end, in milliseconds. Default: that of the application. */
	readonly graceMs?: number;
}

const DEFAULT_PATH = '/ws';
const DEFAULT_GRACE_MS = 10_000;

/**
 * An HTTP and WebSocket server on Bun: put it together, `listen`, `stop`.
 *
 * @typeParam TData the application's own data about a connection, as `upgrade` returns it
 */
export class Application<TData extends ConnectionData = ConnectionData> {
	readonly #logger: Logger;
	readonly #routes: Record<string, unknown> = {};
	readonly #startupHooks: Hook[] = [];
	readonly #shutdownHooks: Hook[] = [];
	#provider: WebSocketProvider | undefined;
	#options: WebSocketOptions = {};
	#handlers: WebSocketHandlers | undefined;
	readonly #routers: SocketRouter[] = [];
	readonly #refusals: Refusals;
	readonly #onSignals: boolean;
	readonly #graceMs: number;
	#endpoint: WebSocketEndpoint | undefined;
	#requests: ClientRequests | undefined;
	#socket: ApplicationSocket | undefined;
	#undoSignals: (() => void) | undefined;
	#server: Server<SocketData> | undefined;
	#state: 'building' | 'starting' | 'listening' | 'stopped' = 'building';
	#stopping: Promise<void> | undefined;

	constructor(options: ApplicationOptions = {}) {
		const { logger = consoleLogger, signals = true, graceMs = DEFAULT_GRACE_MS, ...rest } = options;
		const [unknown] = Object.keys(rest);
		if (unknown !== undefined)
			throw new ApplicationError(`there is no option ${unknown}; options are logger, signals, graceMs`);
		if (typeof signals !== 'boolean') throw new ApplicationError(`signals must be true or false, not ${show(signals)}`);
		const fault = graceFault(graceMs);
		if (fault !== undefined) throw new ApplicationError(fault);
		this.#logger = safely(logger);
		this.#graceMs = graceMs;
		this.#refusals = new Refusals(this.#logger);
		this.#onSignals = signals;
	}

	/** Adds HTTP routes, in the form of Bun's own. @throws {ApplicationError} a path is there already */
	routes<TPath extends string>(routes: Routes<TPath>): this {
		this.#mustBeBuilding('routes');
		for (const [path, route] of Object.entries(routes)) {
			if (path in this.#routes) throw new ApplicationError(`routes(): ${path} is defined twice`);
			this.#routes[path] = route;
		}
		return this;
	}

	/**
	 * Opens a WebSocket endpoint, over the given provider or else in this process only.
	 *
	 * @throws {ApplicationError} called twice, or given something that can't work
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
		this.#options = options;
		const { pendingRequests } = withDefaults(options.limits);
		this.#requests = new ClientRequests(used, pendingRequests, this.#refusals, () => this.#isTyped);
		this.#socket = new ApplicationSocket(used, this.#requests);
		return this as unknown as Application<TNew>;
	}

	/**
	 * Sets what happens to connections. Call it once, after `websocket`, which knows the type of their data.
	 *
	 * @throws {ApplicationError} called twice or before `websocket`, or given something that is no handler
	 */
	onWebSocket(handlers: WebSocketHandlers<TData>): this {
		this.#mustBeBuilding('onWebSocket');
		if (this.#provider === undefined)
			throw new ApplicationError('onWebSocket() needs an endpoint: call websocket() first');
		if (this.#handlers !== undefined)
			throw new ApplicationError('onWebSocket() was called twice; give it all handlers in one object');
		checkHandlers(handlers);
		this.#handlers = handlers;
		return this;
	}

	/**
	 * Adds a router for typed messages. Several share the connections' state, and the guards of all have to pass.
	 *
	 * @throws {ApplicationError} there is no endpoint yet, or it is no router
	 */
	socketRouter<TState extends object>(router: SocketRouter<TState>): this {
		this.#mustBeBuilding('socketRouter');
		if (this.#provider === undefined)
			throw new ApplicationError('socketRouter() needs an endpoint: call websocket() first');
		if (!(router instanceof SocketRouter))
			throw new ApplicationError(`socketRouter(): give it a SocketRouter, not ${show(router)}`);
		this.#routers.push(router as unknown as SocketRouter);
		return this;
	}

	/** Runs before the server listens, in the order added, with the provider started. If one fails, `listen` rejects. */
	onStartup(hook: Hook): this {
		this.#mustBeBuilding('onStartup');
		checkHook('onStartup', hook);
		this.#startupHooks.push(hook);
		return this;
	}

	/** Runs when the application stops and its sockets are closed, in the reverse order, with the provider still started. */
	onShutdown(hook: Hook): this {
		this.#mustBeBuilding('onShutdown');
		checkHook('onShutdown', hook);
		this.#shutdownHooks.push(hook);
		return this;
	}

	/** Reaches clients on any node, from anywhere. @throws {ApplicationError} the application has no endpoint */
	get socket(): ApplicationSocket {
		if (this.#socket === undefined) throw new ApplicationError('socket needs an endpoint: call websocket() first');
		return this.#socket;
	}

	/** Whether it stops, or has stopped: a readiness check should say no then. */
	get isStopping(): boolean {
		return this.#state === 'stopped';
	}

	/** How often which bound of the endpoint was put to use, since the application was made. */
	get refusals(): RefusalCounts {
		return this.#refusals.counts;
	}

	/**
	 * Starts the provider, runs the startup hooks, then serves. Whatever fails is rolled back and rejects.
	 *
	 * @param at a port, or Bun's options for where to listen; default 3000
	 * @throws {ApplicationError} called twice, or interrupted by `stop`; or the port can't be one, and nothing was started
	 */
	async listen(at?: number | ListenOptions): Promise<Server<SocketData>> {
		this.#mustBeBuilding('listen');
		const options = whereToListen(at);
		this.#endpoint = this.#createEndpoint();
		this.#state = 'starting';
		try {
			if (this.#provider !== undefined) claim(this.#provider, this);
			await this.#provider?.start();
			for (const hook of this.#startupHooks) {
				this.#mustBeStarting();
				await hook();
			}
			this.#mustBeStarting();
			this.#server = this.#serve(options);
			this.#provider?.setServer(this.#server, {
				queuedBytes: withDefaults(this.#options.limits).queuedBytes,
				slowReaders: this.#options.slowReaders ?? 'close',
				onSlowReader: ({ data }, since) => data instanceof Session && this.#endpoint?.foundSlow(data, since),
			});
			this.#state = 'listening';
			if (this.#onSignals) {
				this.#undoSignals = stopOnSignals({ stop: () => this.stop(), logger: this.#logger });
			}
			return this.#server;
		} catch (error) {
			this.#state = 'stopped';
			await this.#rollBack();
			throw error;
		}
	}

	/** Never rejects: the failure that led here is the one to tell. */
	async #rollBack(): Promise<void> {
		this.#endpoint?.dispose();
		if (this.#provider !== undefined && claims.get(this.#provider) !== this) return;
		try {
			await this.#server?.stop(true);
			await this.#provider?.stop();
			this.#letGo();
		} catch (err) {
			this.#logger.error('The provider could not be stopped after listen() failed', { err });
		}
	}

	/**
	 * Stops in order: no more upgrades (503 with `Retry-After`); messages that have arrived are handled and what was sent is flushed;
	 * sockets are closed in waves, with 1012 and a hint when to come back; no more requests, and those in flight end; then
	 * the shutdown hooks, the provider, the server. What of that takes longer than `graceMs` is cut off, but for the hooks, which are
	 * waited for. Idempotent: the first call counts. A hook that fails is logged and stops nothing. Called while `listen` is on its way, it ends that: `listen` rejects.
	 *
	 * @throws {ApplicationError} `graceMs` can't be one
	 * @throws whatever the provider's `stop` throws; the server is stopped all the same
	 */
	stop(options: StopOptions = {}): Promise<void> {
		const { graceMs = this.#graceMs } = options;
		const fault = graceFault(graceMs);
		if (fault !== undefined) return quiet(Promise.reject(new ApplicationError(`stop(): ${fault}`)));
		this.#stopping ??= this.#stop(graceMs);
		return this.#stopping;
	}

	async #stop(graceMs: number): Promise<void> {
		const wasListening = this.#state === 'listening';
		this.#state = 'stopped';
		if (!wasListening) {
			const holder = this.#provider === undefined ? undefined : claims.get(this.#provider);
			if (holder === undefined || holder === this) await this.#provider?.stop();
			this.#letGo();
			return;
		}
		const deadline = performance.now() + graceMs;
		this.#endpoint?.close();
		await this.#endpoint?.drain(deadline);
		await settledWithin(deadline - performance.now(), this.#server?.stop());
		for (const hook of this.#shutdownHooks.toReversed()) {
			try {
				await hook();
			} catch (err) {
				this.#logger.error('A shutdown hook failed', { err });
			}
		}
		this.#endpoint?.dispose();
		try {
			await this.#provider?.stop();
		} finally {
			await this.#server?.stop(true);
			this.#letGo();
			this.#undoSignals?.();
		}
	}

	/** Whether clients speak in typed messages, built-in ones at least. */
	get #isTyped(): boolean {
		return this.#routers.length > 0 || this.#options.authorize !== undefined;
	}

	/** Another application may have the provider now. */
	#letGo(): void {
		if (this.#provider !== undefined && claims.get(this.#provider) === this) claims.delete(this.#provider);
	}

	/** @throws {ApplicationError} it can't work as it was put together */
	#createEndpoint(): WebSocketEndpoint | undefined {
		if (this.#provider === undefined || this.#requests === undefined) return undefined;
		return new WebSocketEndpoint({
			provider: this.#provider,
			options: this.#options,
			limits: withDefaults(this.#options.limits),
			handlers: this.#handlers ?? {},
			table: this.#isTyped ? routingTable(this.#routers) : undefined,
			requests: this.#requests,
			refusals: this.#refusals,
			logger: this.#logger,
		});
	}

	#serve(at: ListenOptions): Server<SocketData> {
		const routes = { ...this.#routes };
		const shared = {
			...at,
			fetch: () => new Response('Not Found', { status: 404 }),
			error: (err: Error) => {
				this.#logger.error('A route failed', { err });
				return new Response('Internal Server Error', { status: 500 });
			},
		};
		const endpoint = this.#endpoint;
		if (endpoint === undefined) return Bun.serve({ ...shared, routes } as Bun.Serve.Options<SocketData>);
		const path = this.#options.path ?? DEFAULT_PATH;
		if (path in routes) throw new ApplicationError(`${path} is both a route and the WebSocket endpoint`);
		routes[path] = (req: BunRequest, server: Server<SocketData>) => endpoint.upgrade(req, server);
		return Bun.serve({ ...shared, routes, websocket: endpoint.bunHandlers() } as Bun.Serve.Options<SocketData>);
	}

	#mustBeStarting(): void {
		if (this.#state !== 'starting') throw new ApplicationError('stop() was called while listen() was on its way');
	}

	#mustBeBuilding(call: string): void {
		if (this.#state === 'building') return;
		throw new ApplicationError(
			call === 'listen'
				? 'listen() was called before; an application listens once'
				: `${call}() must come before listen()`,
		);
	}
}

function graceFault(graceMs: unknown): string | undefined {
	if (typeof graceMs === 'number' && graceMs >= 0 && graceMs <= MAX_DELAY_MS) return undefined;
	return `graceMs must be a number of milliseconds from 0 to ${MAX_DELAY_MS}, not ${show(graceMs)}`;
}

/** Which application each provider works for: it has one server, one set of sockets and one life. */
const claims = new WeakMap<WebSocketProvider, object>();

/** @throws {ApplicationError} it works for another one */
function claim(provider: WebSocketProvider, application: object): void {
	const holder = claims.get(provider);
	if (holder !== undefined && holder !== application)
		throw new ApplicationError('this provider belongs to another application; give each its own');
	claims.set(provider, application);
}
