import { consoleLogger, type Logger, safely } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import type { ConnectionData } from '../connection-data.ts';
import { checkAuthorize, isProvider } from '../endpoint/websocket-arguments.ts';
import { ApplicationError } from '../errors.ts';
import { checkPresence, type EndpointPresenceOptions } from '../presence-options.ts';
import { type AllLimits, checkLimits, type Limits, withDefaults } from '../limits.ts';
import { type RouterOf, type RouterOwner, SocketRouter } from '../routing/socket-router.ts';
import { type RoutingTable, routingTable } from '../routing/routing-table.ts';
import { checkOptions } from '../support/check-options.ts';
import type { Authorize } from '../websocket-options.ts';

/** The limits that hold without an endpoint. */
type EnforcedLimit =
	| 'messageBytes'
	| 'messageDepth'
	| 'queuedMessages'
	| 'queuedMessageBytes'
	| 'topicsPerSocket'
	| 'pendingRequests'
	| 'handlerTimeoutMs';

const ENFORCED: Record<EnforcedLimit, true> = {
	messageBytes: true,
	messageDepth: true,
	queuedMessages: true,
	queuedMessageBytes: true,
	topicsPerSocket: true,
	pendingRequests: true,
	handlerTimeoutMs: true,
};

/**
 * The limits that a {@link SocketProtocol} enforces, with the defaults of {@link Limits}. Only `messageBytes` has
 * another: 16 MiB, the `maxPayloadLength` of Bun. If the server has a smaller one, set it to the same, because clients
 * are told, and then don't send what would close their connection.
 */
export type SocketProtocolLimits = Pick<Limits, EnforcedLimit>;

/** @typeParam TState the application's own data for each connection, which handlers read as `ctx.state` */
export interface SocketProtocolOptions<TState extends ConnectionData = ConnectionData> {
	/**
	 * The routers of typed messages. They can have message guards and middleware, but no connection guards and no hooks
	 * (`onOpen`, `onClose`, `onSubscribe`, `onUnsubscribe`). A router
	 * belongs to one `SocketProtocol`, endpoint or application until that stops. Default: none, so that clients can
	 * subscribe and read histories.
	 */
	readonly routers?: readonly RouterOf<TState>[];
	/** Decides what clients may do on their own, without a handler. Default: nothing is allowed. */
	readonly authorize?: Authorize<TState>;
	/** What others see of connections in topics whose presence the provider keeps, and who may see it. */
	readonly presence?: EndpointPresenceOptions<TState>;
	/** Limits, each with a default. */
	readonly limits?: SocketProtocolLimits;
	/** Receives all log lines. Default: the console, without debug lines. */
	readonly logger?: Logger;
}

/** The options, validated and with defaults. */
export interface ReadOptions {
	readonly authorize: Authorize;
	readonly presence: EndpointPresenceOptions;
	readonly limits: AllLimits;
	readonly logger: Logger;
	readonly routers: readonly SocketRouter[];
}

const CALL = 'new SocketProtocol()';
const BUN_MESSAGE_BYTES = 16 * 1024 * 1024;

/** @throws {ApplicationError} an argument is invalid, or an option is unknown or invalid */
export function readOptions(provider: unknown, options: unknown): ReadOptions {
	if (!isProvider(provider)) {
		throw new ApplicationError(
			`${CALL}: pass the provider that connections are added to, as in new SocketProtocol(provider, { routers: [router] }), ` +
				`not ${show(provider)}`,
		);
	}
	checkOptions(CALL, options, ['routers', 'authorize', 'presence', 'limits', 'logger']);
	const {
		routers = [],
		authorize = {},
		presence = {},
		limits,
		logger = consoleLogger,
	} = options as SocketProtocolOptions;
	if (!Array.isArray(routers) || routers.some((router) => !(router instanceof SocketRouter)))
		throw new ApplicationError(`${CALL}: routers must be an array of SocketRouters, not ${show(routers)}`);
	try {
		checkAuthorize(authorize);
		checkPresence(presence);
		return { authorize, presence, limits: readLimits(limits), logger: safely(logger), routers };
	} catch (error) {
		throw new ApplicationError(`${CALL}: ${(error as Error).message}`);
	}
}

function readLimits(limits: SocketProtocolLimits = {}): AllLimits {
	checkLimits(limits);
	const unenforced = Object.keys(limits).find((name) => !Object.hasOwn(ENFORCED, name));
	if (unenforced !== undefined) {
		throw new ApplicationError(
			`limits.${unenforced} needs a SocketEndpoint; limits that hold without one are ${Object.keys(ENFORCED).join(', ')}`,
		);
	}
	return {
		...withDefaults({ messageBytes: BUN_MESSAGE_BYTES, ...limits }),
		queuedMessageBytes: limits.queuedMessageBytes ?? withDefaults().queuedMessageBytes,
		messagesPerSecond: Infinity,
		bytesPerSecond: Infinity,
	};
}

/**
 * Takes the routers, which can't be changed from then on, and returns their routes.
 *
 * @throws {ApplicationError} a router is in use elsewhere, given twice, or has connection guards or hooks, or two
 * routers handle the same message
 */
export function takeRouters(routers: readonly SocketRouter[], owner: RouterOwner): RoutingTable {
	for (const router of routers) SocketRouter.give(router, owner, CALL);
	const table = routingTable(routers, CALL);
	if (table.hooks !== undefined) {
		throw new ApplicationError(
			`${CALL}: a router has hooks (onOpen, onClose, onSubscribe or onUnsubscribe), which need a SocketEndpoint: here, ` +
				'use open and close of your own handlers',
		);
	}
	const hasGuards = table.guards.length > 0;
	if (!hasGuards && table.authenticate === undefined) return table;
	const what = hasGuards ? 'connection guards, which need' : 'authenticate(), which needs';
	throw new ApplicationError(
		`${CALL}: a router has ${what} a SocketEndpoint: here, the application itself decides in ` +
			'fetch whom to upgrade; put into data what handlers shall find in ctx.state. Guards of messages (guardMessages) work',
	);
}
