import { InvalidClientOptionError } from '../errors.ts';

/**
 * Returns the full `ws:` or `wss:` URL of an endpoint. Also accepts `http:` and `https:` URLs and, on a page, relative
 * URLs such as `/ws`.
 *
 * @throws {InvalidClientOptionError} the URL is invalid
 */
export function endpointUrl(url: string | URL): string {
	const base = (globalThis as { location?: { href?: string } }).location?.href;
	let full: URL;
	try {
		full = new URL(url, base);
	} catch {
		throw new InvalidClientOptionError(
			`the URL must look like wss://example.com/ws, not ${JSON.stringify(String(url))}`,
		);
	}
	// The scheme is replaced in the text, because the setter of `protocol` silently ignores some changes.
	const { protocol } = full;
	const href = full.href.replace(/^http/, 'ws');
	if (!/^wss?:/.test(href)) {
		throw new InvalidClientOptionError(`the URL must begin with ws: or wss:, not ${protocol}`);
	}
	if (full.hash !== '') throw new InvalidClientOptionError(`the URL must have no fragment, not ${full.hash}`);
	return href;
}
