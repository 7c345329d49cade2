import type { Logger, WebSocketProvider } from '@orijs/websocket';
import { FailureLog, show } from '@orijs/websocket/internal';
import { ApplicationSocket } from '../application/socket-emitter.ts';
import { ApplicationError } from '../errors.ts';
import { type AllLimits, withDefaults } from '../limits.ts';
import { Refusals } from '../refusals.ts';
import { ClientRequests } from '../routing/client-requests.ts';
import { routingTable } from '../routing/routing-table.ts';
import { SocketRouter } from '../routing/socket-router.ts';
import type { WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';
import type { ServedEndpoint } from './server-handlers.ts';
import { checkHandlers } from './websocket-arguments.ts';
import { WebSocketEndpoint } from './websocket-endpoint.ts';

const DEFAULT_PATH = '/ws';

/** The endpoints that use routers. */
const routersInUse = new WeakMap<SocketRouter, EndpointSetup>();

/** The configuration of one endpoint, until it starts. */
export class EndpointSetup implements ServedEndpoint {
	readonly provider: WebSocketProvider;
	readonly options: WebSocketOptions;
	readonly logger: Logger;
	readonly path: string;
	readonly limits: AllLimits;
	readonly slowReaders: 'close' | 'drop';
	readonly refusals: Refusals;
	readonly socket: ApplicationSocket;
	/** Whether an application starts and stops the endpoint. */
	isOwned = false;
	/** The endpoint, while it serves and after it has stopped. */
	running: WebSocketEndpoint | undefined;
	readonly #requests: ClientRequests;
	readonly #routers: SocketRouter[] = [];
	#handlers: WebSocketHandlers | undefined;
	#isSealed = false;

	constructor(provider: WebSocketProvider, options: WebSocketOptions, logger: Logger) {
		this.provider = provider;
		this.options = options;
		this.logger = logger;
		this.path = options.path ?? DEFAULT_PATH;
		this.limits = withDefaults(options.limits);
		this.slowReaders = options.slowReaders ?? 'close';
		this.refusals = new Refusals(logger);
		this.#requests = new ClientRequests(
			provider,
			this.limits.pendingRequests,
			this.refusals,
			new FailureLog(logger, () => true),
			() => this.#isTyped,
		);
		this.socket = new ApplicationSocket(provider, this.#requests);
	}

	/** @throws {ApplicationError} called twice, after the start, or a handler is not a function */
	setHandlers(handlers: WebSocketHandlers): void {
		this.#mustBeBuilding('onWebSocket');
		if (this.#handlers !== undefined)
			throw new ApplicationError('onWebSocket() was called twice; pass all handlers in one object');
		checkHandlers(handlers);
		this.#handlers = handlers;
	}

	/** @throws {ApplicationError} called after the start, or the argument is not a `SocketRouter` */
	addRouter(router: unknown): void {
		this.#mustBeBuilding('socketRouter');
		if (!(router instanceof SocketRouter))
			throw new ApplicationError(`socketRouter(): router must be a SocketRouter, not ${show(router)}`);
		this.#routers.push(router);
	}

	#mustBeBuilding(call: string): void {
		if (!this.#isSealed) return;
		throw new ApplicationError(`${call}() must come before ${this.isOwned ? 'listen' : 'start'}()`);
	}

	/** Whether clients can send typed messages, even if only the built-in ones. */
	get #isTyped(): boolean {
		return this.#routers.length > 0 || this.options.authorize !== undefined;
	}

	/**
	 * Creates the endpoint, whose configuration can't be changed from then on.
	 *
	 * @throws {ApplicationError} two routers handle the same message, or another endpoint uses a router
	 */
	create(): WebSocketEndpoint {
		const { provider, options, limits, refusals, logger } = this;
		for (const router of this.#routers) {
			const user = routersInUse.get(router) ?? this;
			if (user !== this) {
				throw new ApplicationError(
					`socketRouter(): a router of the endpoint ${this.path} is in use by the endpoint ${user.path}; give each ` +
						'endpoint its own',
				);
			}
		}
		const table = this.#isTyped ? routingTable(this.#routers) : undefined;
		for (const router of this.#routers) routersInUse.set(router, this);
		this.#isSealed = true;
		return new WebSocketEndpoint({
			provider,
			options,
			limits,
			handlers: this.#handlers ?? {},
			table,
			requests: this.#requests,
			refusals,
			logger,
			onDisposed: () => this.#releaseRouters(),
		});
	}

	/** Makes the routers available to other endpoints. */
	#releaseRouters(): void {
		for (const router of this.#routers) if (routersInUse.get(router) === this) routersInUse.delete(router);
	}

	/** Called when the endpoint could not start: its configuration can be changed again. */
	notStarted(): void {
		this.running = undefined;
		this.#isSealed = false;
	}
}
