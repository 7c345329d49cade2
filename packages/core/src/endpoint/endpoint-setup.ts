import type { Logger, WebSocketProvider } from '@orijs/websocket';
import { FailureLog, show } from '@orijs/websocket/internal';
import { ApplicationSocket } from '../application/socket-emitter.ts';
import { compressFrom } from '../compression.ts';
import { ApplicationError } from '../errors.ts';
import { type AllLimits, withDefaults } from '../limits.ts';
import { Refusals } from '../refusals.ts';
import { ClientRequests } from '../routing/client-requests.ts';
import { routingTable } from '../routing/routing-table.ts';
import { type EndpointEventListener, EventListeners } from '../routing/endpoint-event.ts';
import { type RouterOwner, SocketRouter } from '../routing/socket-router.ts';
import { goesToMessageHandler } from '../routing/unknown-messages.ts';
import type { WebSocketHandlers, WebSocketOptions } from '../websocket-options.ts';
import type { ServedEndpoint } from './server-handlers.ts';
import { checkHandlers } from './websocket-arguments.ts';
import { WebSocketEndpoint } from './websocket-endpoint.ts';

const DEFAULT_PATH = '/ws';

/** `sealed` from the start on, when nothing can be added any more; `ended` once the endpoint will never serve again. */
type SetupState = 'building' | 'sealed' | 'ended';

/** The configuration of one endpoint, until it starts. */
export class EndpointSetup implements ServedEndpoint, RouterOwner {
	readonly provider: WebSocketProvider;
	readonly options: WebSocketOptions;
	readonly logger: Logger;
	readonly path: string;
	readonly limits: AllLimits;
	readonly slowReaders: 'close' | 'drop';
	readonly compressFrom: number | undefined;
	readonly refusals: Refusals;
	readonly socket: ApplicationSocket;
	/** Whether an application starts and stops the endpoint. */
	isOwned = false;
	/** The endpoint, while it serves and after it has stopped. */
	running: WebSocketEndpoint | undefined;
	readonly #requests: ClientRequests;
	readonly #routers: SocketRouter[] = [];
	#handlers: WebSocketHandlers | undefined;
	#events: EventListeners | undefined;
	#state: SetupState = 'building';

	constructor(provider: WebSocketProvider, options: WebSocketOptions, logger: Logger) {
		this.provider = provider;
		this.options = options;
		this.logger = logger;
		this.path = options.path ?? DEFAULT_PATH;
		this.limits = withDefaults(options.limits);
		this.slowReaders = options.slowReaders ?? 'close';
		this.compressFrom = compressFrom(options.perMessageDeflate);
		this.refusals = new Refusals(logger);
		this.#requests = new ClientRequests(
			provider,
			this.limits.pendingRequests,
			this.refusals,
			new FailureLog(logger, () => true),
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

	/**
	 * @throws {ApplicationError} called after the start, or the argument is not a `SocketRouter`, or one that another
	 * endpoint uses
	 */
	addRouter(router: unknown): void {
		this.#mustBeBuilding('socketRouter');
		if (!(router instanceof SocketRouter))
			throw new ApplicationError(`socketRouter(): router must be a SocketRouter, not ${show(router)}`);
		SocketRouter.give(router, this);
		this.#routers.push(router);
	}

	/** @throws {ApplicationError} called after the start, or the listener is not a function */
	addListener(listener: EndpointEventListener): void {
		this.#mustBeBuilding('onEvent');
		this.#events ??= new EventListeners(this.logger);
		this.#events.add(listener);
	}

	#mustBeBuilding(call: string): void {
		if (this.#state === 'building') return;
		throw new ApplicationError(`${call}() must come before ${this.isOwned ? 'listen' : 'start'}()`);
	}

	/**
	 * Creates the endpoint, whose configuration can't be changed from then on.
	 *
	 * @throws {ApplicationError} two routers handle the same message, or unknown messages have no handler, or two
	 */
	create(): WebSocketEndpoint {
		const { provider, options, limits, refusals, logger } = this;
		const handlers = this.#handlers ?? {};
		const table = routingTable(this.#routers);
		const passesUnknown = goesToMessageHandler(options, handlers, table.unknown);
		this.#state = 'sealed';
		return new WebSocketEndpoint({
			provider,
			options,
			limits,
			handlers,
			table,
			passesUnknown,
			requests: this.#requests,
			refusals,
			events: this.#events,
			logger,
			onDisposed: () => this.end(),
		});
	}

	/** Whether its routers may be given to other endpoints. */
	get isStopping(): boolean {
		return this.#state === 'ended';
	}

	/** Called when the endpoint has stopped, or was stopped before it could start. */
	end(): void {
		this.#state = 'ended';
	}

	/** Called when the endpoint could not start, but may be started again: its configuration can be changed again. */
	notStarted(): void {
		this.running = undefined;
		this.#state = 'building';
	}
}
