import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/** Whether a page of that origin may connect to the server, addressed by the client as `host`. */
export type OriginCheck = (origin: string, host: string | null) => boolean;

const RULE =
	"websocket(): allowedOrigins must be a list of origins as browsers send them, 'https://app.example.com', without path or " +
	"trailing slash; 'https://*.example.com' for all subdomains, or '*' for every origin";

/**
 * Creates the check for a list of allowed origins; without one, the server's own origin is allowed.
 *
 * @throws {ApplicationError} the list is invalid
 */
export function originCheck(allowed: unknown): OriginCheck {
	if (allowed === undefined) return isSameOrigin;
	if (!Array.isArray(allowed)) throw new ApplicationError(`${RULE}; not ${show(allowed)}`);
	const exact = new Set<string>();
	const wildcards: { readonly scheme: string; readonly suffix: string }[] = [];
	let allowsAll = false;
	for (const entry of allowed as unknown[]) {
		if (entry === '*') {
			allowsAll = true;
			continue;
		}
		if (typeof entry !== 'string' || !isOrigin(entry.replace('://*.', '://any.')))
			throw new ApplicationError(`${RULE}; not ${show(entry)}`);
		const star = entry.indexOf('*');
		if (star < 0) exact.add(entry);
		else wildcards.push({ scheme: entry.slice(0, star), suffix: entry.slice(star + 1) });
	}
	return (origin) =>
		allowsAll || exact.has(origin) || wildcards.some(({ scheme, suffix }) => isSubdomain(origin, scheme, suffix));
}

function isSubdomain(origin: string, scheme: string, suffix: string): boolean {
	return origin.startsWith(scheme) && origin.endsWith(suffix) && origin.length > scheme.length + suffix.length;
}

/** The scheme is not compared: it differs behind a proxy that terminates TLS. */
function isSameOrigin(origin: string, host: string | null): boolean {
	if (host === null || !URL.canParse(origin)) return false;
	const page = new URL(origin);
	const server = `${page.protocol}//${host}`;
	// Both go through URL, so that a default port is the same whether written or not.
	return URL.canParse(server) && new URL(server).host === page.host && page.host !== '';
}

function isOrigin(value: string): boolean {
	if (!URL.canParse(value) || value.includes('*')) return false;
	const { protocol, host } = new URL(value);
	// A ws: origin would be a mistake: no page has one.
	return `${protocol}//${host}` === value && protocol !== 'ws:' && protocol !== 'wss:';
}
