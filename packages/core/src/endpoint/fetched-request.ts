import type { BunRequest } from 'bun';
import type { PathParams } from '../support/path-matcher.ts';

/** The cookies of requests that did not come through a route of Bun, once the application has read them. */
const cookies = new WeakMap<Request, Bun.CookieMap>();

/**
 * Gives a request what Bun gives only those of its routes: `params`, and `cookies` whose changes {@link setCookies}
 * returns. A request that came through a route keeps its own cookies.
 */
export function asRouted(req: Request, params: PathParams): BunRequest {
	Object.defineProperty(req, 'params', { value: params, configurable: true, enumerable: true });
	if (!('cookies' in req)) Object.defineProperty(req, 'cookies', COOKIES);
	return req as BunRequest;
}

const COOKIES: PropertyDescriptor & ThisType<Request> = {
	get() {
		let map = cookies.get(this);
		if (map === undefined) cookies.set(this, (map = new Bun.CookieMap(this.headers.get('cookie') ?? '')));
		return map;
	},
	configurable: true,
	enumerable: true,
};

/** Returns the `Set-Cookie` headers that Bun does not add by itself. */
export function setCookies(req: Request): readonly string[] {
	return cookies.get(req)?.toSetCookieHeaders() ?? [];
}

/** Adds the changed cookies of a request to its response. */
export function withCookies(response: Response, req: Request): Response {
	const changes = setCookies(req);
	if (changes.length === 0) return response;
	// The response may be one whose headers can't be changed.
	const headers = new Headers(response.headers);
	for (const change of changes) headers.append('Set-Cookie', change);
	return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
