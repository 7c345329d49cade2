import { promiseOf, show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

type Handler = (this: unknown, req: unknown, server: unknown) => unknown;

/**
 * Returns a route whose handlers fail unless they return a `Response` or a promise of one: Bun would answer with a page
 * of its own, and 200.
 */
export function withCheckedResults(path: string, route: unknown): unknown {
	if (typeof route === 'function') return withCheckedResult(`The route ${path}`, route as Handler);
	if (typeof route !== 'object' || route === null || Object.getPrototypeOf(route) !== Object.prototype) return route;
	return Object.fromEntries(
		Object.entries(route as Record<string, unknown>).map(([method, handler]) => [
			method,
			typeof handler === 'function' ? withCheckedResult(`The route ${method} ${path}`, handler as Handler) : handler,
		]),
	);
}

/**
 * Returns a handler of requests that fails unless the result is a `Response` or a promise of one.
 *
 * @param name what the handler is, for the error
 */
export function withCheckedResult(name: string, handler: Handler): Handler {
	return function (req, server) {
		const result = handler.call(this, req, server);
		if (result instanceof Response) return result;
		const later = promiseOf(result);
		return later === undefined ? mustBeResponse(name, result) : later.then((value) => mustBeResponse(name, value));
	};
}

function mustBeResponse(name: string, result: unknown): Response {
	if (result instanceof Response) return result;
	throw new ApplicationError(`${name} returned ${kindOf(result)}; it must return a Response`);
}

/** Describes a value for the log. A string is not shown, because it may be a secret. */
function kindOf(result: unknown): string {
	return typeof result === 'string' ? 'a string' : show(result);
}
