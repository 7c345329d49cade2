import type { BunRequest } from 'bun';
import type { AcceptingHeaders } from '../admission/handshake-headers.ts';
import type { PathParams } from '../support/path-matcher.ts';

/** The cookies of requests that did not come through a route of Bun, once the application has read them. */
const cookies = new WeakMap<Request, Bun.CookieMap>();

/**
 * Gives a request what Bun gives only those of its routes: `params`, and `cookies`, whose changes are added
 * to the response. A request that came through a route keeps its own cookies.
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

/** Adds the changed cookies of a request to the headers of its 101 response. */
export function withCookies(headers: AcceptingHeaders | undefined, req: Request): AcceptingHeaders | undefined {
	const changes = changesOf(req);
	return changes.length === 0 ? headers : added(headers, changes);
}

/** Adds the changed cookies of a request to its response. */
export function respondWithCookies(response: Response, req: Request): Response {
	const changes = changesOf(req);
	if (changes.length === 0) return response;
	const { body, status, statusText } = response;
	// The headers of some responses can't be changed.
	return new Response(body, { status, statusText, headers: added(response.headers, changes) });
}

/** Returns the `Set-Cookie` headers that Bun does not add by itself. */
function changesOf(req: Request): readonly string[] {
	return cookies.get(req)?.toSetCookieHeaders() ?? [];
}

function added(to: AcceptingHeaders | undefined, changes: readonly string[]): Headers {
	const headers = new Headers(to);
	for (const change of changes) headers.append('Set-Cookie', change);
	return headers;
}
