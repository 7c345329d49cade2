import { ApplicationError } from '../errors.ts';
import type { Hooks } from './hooks.ts';
import type { Route } from './route.ts';
import { type Authenticate, type ConnectionGuard, SocketRouter } from './socket-router.ts';

/** The guards and routes of all routers of an application. */
export interface RoutingTable {
	/** Checks the credentials of clients, before all guards; undefined if no router has one. */
	readonly authenticate: Authenticate<object> | undefined;
	readonly guards: readonly ConnectionGuard<object>[];
	/** Undefined if no router has any. */
	readonly hooks: Hooks | undefined;
	/** The routes by message name. */
	readonly routes: ReadonlyMap<string, Route>;
	/** Handles messages that are not in `routes`. */
	readonly unknown: Route | undefined;
}

const HOOK_EVENTS = ['onOpen', 'onClose', 'onSubscribe', 'onUnsubscribe'] as const;

/**
 * Combines the guards and routes of routers, which can't be changed from then on.
 *
 * @param call what the routers were given to, for errors
 * @throws {ApplicationError} two routers handle the same message, or unknown messages, or check credentials
 */
export function routingTable(routers: readonly SocketRouter[], call: string = 'socketRouter()'): RoutingTable {
	const routes = new Map<string, Route>();
	const guards: ConnectionGuard<object>[] = [];
	const hooks: Record<keyof Hooks, any[]> = { onOpen: [], onClose: [], onSubscribe: [], onUnsubscribe: [] };
	let authenticate: Authenticate<object> | undefined;
	let unknown: Route | undefined;
	for (const parts of routers.map((router) => SocketRouter.partsOf(router))) {
		if (authenticate !== undefined && parts.authenticate !== undefined)
			throw new ApplicationError(
				`${call}: two routers have authenticate(), but an endpoint checks the credentials of its clients once; ` +
					'use guard() in all others',
			);
		authenticate ??= parts.authenticate;
		guards.push(...parts.guards);
		for (const event of HOOK_EVENTS) hooks[event].push(...parts.hooks[event]);
		for (const route of parts.routes) {
			const { name } = route.message;
			if (routes.has(name)) throw new ApplicationError(`${call}: two routers handle ${name}`);
			routes.set(name, route);
		}
		if (unknown !== undefined && parts.unknown !== undefined)
			throw new ApplicationError(`${call}: two routers handle unknown messages with onUnknown()`);
		unknown ??= parts.unknown;
	}
	const hasHooks = HOOK_EVENTS.some((event) => hooks[event].length > 0);
	return { authenticate, guards, hooks: hasHooks ? hooks : undefined, routes, unknown };
}
