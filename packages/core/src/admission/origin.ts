import { ApplicationError } from '../errors.ts';
import { show } from '@orijs/websocket/internal';

/** Whether a page of that origin may connect to a server that is asked for under `host`. */
export type OriginCheck = (origin: string, host: string | null) => boolean;

const RULE =
	"websocket(): allowedOrigins must be a list of origins as browsers send them, 'https://app.example.com', without path or " +
	"trailing slash; 'https://*.example.com' for all subdomains, or '*' for every origin";

/**
 * Reads an allow-list of origins; without one, pages of the server's own origin may connect.
 *
 * @throws {ApplicationError} it is none
 */
export function originCheck(allowed: unknown): OriginCheck {
	if (allowed === undefined) return isSameOrigin;
	if (!Array.isArray(allowed)) throw new ApplicationError(`${RULE}; not ${show(allowed)}`);
	const exact = new Set<string>();
	const below: { readonly scheme: string; readonly suffix: string }[] = [];
	let isAny = false;
	for (const entry of allowed as unknown[]) {
		if (entry === '*') {
			isAny = true;
			continue;
		}
		if (typeof entry !== 'string' || !isOrigin(entry.replace('://*.', '://any.')))
			throw new ApplicationError(`${RULE}; not ${show(entry)}`);
		const wildcard = entry.indexOf('*');
		if (wildcard < 0) exact.add(entry);
		else below.push({ scheme: entry.slice(0, wildcard), suffix: entry.slice(wildcard + 1) });
	}
	return (origin) => isAny || exact.has(origin) || below.some(({ scheme, suffix }) => isBelow(origin, scheme, suffix));
}

function isBelow(origin: string, scheme: string, suffix: string): boolean {
	return origin.startsWith(scheme) && origin.endsWith(suffix) && origin.length > scheme.length + suffix.length;
}

/** The scheme is not compared: behind a proxy that ends TLS it differs. */
function isSameOrigin(origin: string, host: string | null): boolean {
	if (host === null || !URL.canParse(origin)) return false;
	const page = new URL(origin);
	const server = `${page.protocol}//${host}`;
	// Through URL both, so that a default port is one whether it is written or not.
	return URL.canParse(server) && new URL(server).host === page.host && page.host !== '';
}

function isOrigin(value: string): boolean {
	if (!URL.canParse(value) || value.includes('*')) return false;
	const { protocol, host } = new URL(value);
	// Written with ws: by mistake it would never be that of a page.
	return `${protocol}//${host}` === value && protocol !== 'ws:' && protocol !== 'wss:';
}
