import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/**
 * Validates the argument of `routes()` as far as Bun would ignore a mistake, or not say which route has it. The rest is
 * checked by Bun when the application listens.
 *
 * @throws {ApplicationError} it is not an object of routes, or a route is invalid
 */
export function checkRoutes(routes: unknown): void {
	if (typeof routes !== 'object' || routes === null || Array.isArray(routes)) {
		throw new ApplicationError(
			`routes(): pass an object of routes by path, such as { '/health': () => new Response('ok') }, not ${show(routes)}`,
		);
	}
	for (const [path, route] of Object.entries(routes)) checkRoute(path, route);
}

function checkRoute(path: string, route: unknown): void {
	if (!path.startsWith('/')) throw new ApplicationError(`routes(): a path must begin with /, not ${show(path)}`);
	if (route === false) return; // In Bun: answered as if there were no route.
	if ((typeof route !== 'object' && typeof route !== 'function') || route === null) {
		throw new ApplicationError(
			`routes(): ${path} must be a handler, a Response, or an object of these by method, such as { GET: handler }; ` +
				`not ${show(route)}`,
		);
	}
	if (Object.getPrototypeOf(route) !== Object.prototype) return;
	const method = Object.keys(route).find((name) => name !== name.toUpperCase());
	if (method !== undefined)
		throw new ApplicationError(`routes(): ${path}: methods are in capitals, ${method.toUpperCase()} and not ${method}`);
}
