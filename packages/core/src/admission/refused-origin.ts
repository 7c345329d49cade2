import { isIP } from 'node:net';
import { show } from '@orijs/websocket/internal';
import { isSameOrigin } from './origin.ts';

/** A page that may not connect, and what its origin was compared with. */
export interface RefusedOrigin {
	/** The `Origin` of the page. */
	readonly origin: string;
	/** Whether there is a list of `allowedOrigins`; otherwise the origin was compared with the server's host. */
	readonly hasList: boolean;
	/** The host that the client requested, as far as the server knows. */
	readonly host: string | null;
	/** The name of the header that contained the host. */
	readonly hostHeader: string;
	/** The `X-Forwarded-Host` that was ignored, because the peer is not trusted. */
	readonly ignoredHost: string | null;
	/** The address that the connection came from. */
	readonly peer: string;
}

/** Explains a refusal for the log: what was compared, and how to allow the page. Both texts have a bounded length. */
export function explainRefusedOrigin(refused: RefusedOrigin): { readonly compared: string; readonly fix: string } {
	const { origin, hasList, host, hostHeader } = refused;
	const other = hasList ? 'is not in allowedOrigins' : `is not that of the server: ${hostHeader} is ${shownHost(host)}`;
	return { compared: `Origin ${show(origin)} ${other}`, fix: fixFor(refused) };
}

function shownHost(host: string | null): string {
	return host === null ? 'missing' : show(host);
}

function fixFor({ origin, hasList, host, hostHeader, ignoredHost, peer }: RefusedOrigin): string {
	const page = hostnameOf(origin);
	// Browsers send `null` for both files and sandboxed frames.
	if (page === undefined) return "a page without a host can connect only with allowedOrigins: ['*']";
	if (hasList) return `if the page is yours, add ${show(origin)} to allowedOrigins`;
	if (ignoredHost !== null && isSameOrigin(origin, ignoredHost)) {
		return `X-Forwarded-Host is ${show(ignoredHost)}; if it comes from your proxy, set trustedProxies: [${show(peer)}]`;
	}
	const allow = `set allowedOrigins: [${show(origin)}]`;
	const passOn = `pass on ${hostHeader} unchanged (nginx: proxy_set_header ${hostHeader} $http_host)`;
	const server = hostnameOf(`http://${host ?? ''}`);
	// nginx's `$host`, for example, has no port.
	if (server === page && !/:\d+$/.test(host ?? '')) {
		return `if a proxy in front drops the port, have it ${passOn}; if a development server serves the page, ${allow}`;
	}
	let fix = `if the page is yours, ${allow}`;
	if (server === page) fix = `if the page is yours, for example from a development server on another port, ${allow}`;
	else if (isLoopback(page) && isLoopback(server)) {
		fix = `open the page at ${show(host)}, or connect to the host of the page, or ${allow}`;
	}
	return `${fix}, or if a proxy in front replaces the host, have it ${passOn}`;
}

/** Returns the host name in a URL, without the port; undefined if it has none. */
function hostnameOf(url: string): string | undefined {
	return URL.canParse(url) ? new URL(url).hostname || undefined : undefined;
}

/** Whether a host name means the machine itself. */
function isLoopback(hostname = ''): boolean {
	return hostname === 'localhost' || hostname === '[::1]' || (isIP(hostname) === 4 && hostname.startsWith('127.'));
}
