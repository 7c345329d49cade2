import {
	consoleLogger,
	InProcWsProvider,
	type Logger,
	type SocketData,
	type SocketEmitter,
	type WebSocketProvider,
} from '@orijs/websocket';
import type { BunRequest, Server } from 'bun';
import type { ConnectionData } from './connection-data.ts';
import { ApplicationError } from './errors.ts';
import { checkHook, type Hook } from './hook.ts';
import type { ListenOptions, Routes } from './http.ts';
import { checkHandlers, readWebSocketArguments } from './websocket-arguments.ts';
import { WebSocketEndpoint } from './websocket-endpoint.ts';
import type { WebSocketHandlers, WebSocketOptions } from './websocket-options.ts';
import { whereToListen } from './where-to-listen.ts';

export interface ApplicationOptions {
	/** Default: the console, quiet at debug. */
	readonly logger?: Logger;
}

const DEFAULT_PATH = '/ws';
/** How long requests in flight may take when the application stops, in milliseconds. */
const DRAIN_MS = 5_000;

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
	#endpoint: WebSocketEndpoint | undefined;
	#server: Server<SocketData> | undefined;
	#state: 'building' | 'starting' | 'listening' | 'stopped' = 'building';
	#stopping: Promise<void> | undefined;

	constructor(options: ApplicationOptions = {}) {
		this.#logger = options.logger ?? consoleLogger;
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
		this.#provider = provider ?? new InProcWsProvider({ logger: this.#logger });
		this.#options = options;
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
	get socket(): SocketEmitter {
		if (this.#provider === undefined) throw new ApplicationError('socket needs an endpoint: call websocket() first');
		return this.#provider;
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
		this.#state = 'starting';
		try {
			await this.#provider?.start();
			for (const hook of this.#startupHooks) {
				this.#mustBeStarting();
				await hook();
			}
			this.#mustBeStarting();
			this.#server = this.#serve(options);
			this.#provider?.setServer(this.#server);
			this.#state = 'listening';
			return this.#server;
		} catch (error) {
			this.#state = 'stopped';
			await this.#rollBack();
			throw error;
		}
	}

	/** Never rejects: the failure that led here is the one to tell. */
	async #rollBack(): Promise<void> {
		try {
			await this.#server?.stop(true);
			await this.#provider?.stop();
		} catch (err) {
			this.#logger.error('The provider could not be stopped after listen() failed', { err });
		}
	}

	/**
	 * Takes no more requests, closes sockets with 1001, gives requests in flight 5 seconds, runs the shutdown hooks, then stops
	 * provider and server. Idempotent; a hook that fails is logged and stops nothing. Called while `listen` is on its way, it ends
	 * that: `listen` rejects.
	 *
	 * @throws whatever the provider's `stop` throws; the server is stopped all the same
	 */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async #stop(): Promise<void> {
		const wasListening = this.#state === 'listening';
		this.#state = 'stopped';
		if (!wasListening) {
			await this.#provider?.stop();
			return;
		}
		const drained = this.#server?.stop();
		this.#endpoint?.close();
		await settledWithin(DRAIN_MS, drained);
		for (const hook of this.#shutdownHooks.toReversed()) {
			try {
				await hook();
			} catch (err) {
				this.#logger.error('A shutdown hook failed', { err });
			}
		}
		try {
			await this.#provider?.stop();
		} finally {
			await this.#server?.stop(true);
		}
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
		if (this.#provider === undefined) {
			return Bun.serve({ ...shared, routes } as Bun.Serve.Options<SocketData>);
		}
		const path = this.#options.path ?? DEFAULT_PATH;
		if (path in routes) throw new ApplicationError(`${path} is both a route and the WebSocket endpoint`);
		const endpoint = new WebSocketEndpoint(this.#provider, this.#options, this.#logger);
		this.#endpoint = endpoint;
		routes[path] = (req: BunRequest, server: Server<SocketData>) => endpoint.upgrade(req, server);
		return Bun.serve({
			...shared,
			routes,
			websocket: endpoint.handlers(this.#handlers ?? {}),
		} as Bun.Serve.Options<SocketData>);
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

async function settledWithin(ms: number, promise: Promise<unknown> | undefined): Promise<void> {
	const late = Promise.withResolvers<void>();
	const timer = setTimeout(late.resolve, ms);
	await Promise.race([promise, late.promise]);
	clearTimeout(timer);
}
