import { ApplicationError } from '../errors.ts';
import type { ConnectionGuard, Route, SocketRouter } from './socket-router.ts';

/** The guards and routes of all routers of an application. */
export interface RoutingTable {
	readonly guards: readonly ConnectionGuard<object>[];
	readonly routes: ReadonlyMap<string, Route>;
}

/**
 * Combines the guards and routes of routers, which can't be changed from then on. @throws {ApplicationError} two
 * routers handle the same message
 */
export function routingTable(routers: readonly SocketRouter[]): RoutingTable {
	const routes = new Map<string, Route>();
	for (const router of routers) {
		router.use();
		for (const [name, route] of router.routes) {
			if (routes.has(name)) throw new ApplicationError(`socketRouter(): two routers handle ${name}`);
			routes.set(name, route);
		}
	}
	return { guards: routers.flatMap((router) => router.guards), routes };
}
