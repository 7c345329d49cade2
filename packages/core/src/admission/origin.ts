import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/** Returns whether pages of an origin may connect. `host` is the host that the client requested. */
export type OriginCheck = (origin: string, host: string | null) => boolean;

const RULE =
	"it lists origins as browsers send them, such as 'https://app.example.com', without a path or trailing slash; use " +
	"'https://*.example.com' for all subdomains, or '*' for every origin";

/**
 * Creates the check for a list of allowed origins; without a list, only the server's own origin is allowed.
 *
 * @throws {ApplicationError} the list is invalid
 */
export function originCheck(allowed: unknown): OriginCheck {
	if (allowed === undefined) return isSameOrigin;
	if (!Array.isArray(allowed)) throw new ApplicationError(`allowedOrigins must not be ${show(allowed)}; ${RULE}`);
	const exact = new Set<string>();
	const wildcards: { readonly scheme: string; readonly suffix: string }[] = [];
	let allowsAll = false;
	for (const entry of allowed as unknown[]) {
		if (entry === '*') {
			allowsAll = true;
			continue;
		}
		if (typeof entry !== 'string' || !isOrigin(entry.replace('://*.', '://any.')))
			throw new ApplicationError(`allowedOrigins must not contain ${show(entry)}; ${RULE}`);
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

/** Compares hosts and ports, but not schemes, which differ behind a proxy that terminates TLS. */
export function isSameOrigin(origin: string, host: string | null): boolean {
	if (host === null || !URL.canParse(origin)) return false;
	const page = new URL(origin);
	const server = `${page.protocol}//${host}`;
	// `URL` drops default ports, so it doesn't matter whether the `Host` header contains one.
	return URL.canParse(server) && new URL(server).host === page.host && page.host !== '';
}

function isOrigin(value: string): boolean {
	if (!URL.canParse(value) || value.includes('*')) return false;
	const { protocol, host } = new URL(value);
	// No page has a `ws:` or `wss:` origin, so one in the list must be a mistake.
	return `${protocol}//${host}` === value && protocol !== 'ws:' && protocol !== 'wss:';
}
