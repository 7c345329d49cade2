import { InvalidClientOptionError } from '../errors.ts';

/**
 * The address of an endpoint: `ws:` or `wss:`, where `http:` and `https:` are taken for those; on a page also relative to it, as `/ws`.
 *
 * @throws {InvalidClientOptionError}
 */
export function endpointUrl(url: string | URL): string {
	const base = (globalThis as { location?: { href?: string } }).location?.href;
	let full: URL;
	try {
		full = new URL(url, base);
	} catch {
		throw new InvalidClientOptionError(
			`the URL must be one like wss://example.com/ws, not ${JSON.stringify(String(url))}`,
		);
	}
	// A URL's setter refuses to change between some kinds of protocols without a word.
	const { protocol } = full;
	const href = full.href.replace(/^http/, 'ws');
	if (!/^wss?:/.test(href)) {
		throw new InvalidClientOptionError(`the URL must begin with ws: or wss:, not ${protocol}`);
	}
	if (full.hash !== '') throw new InvalidClientOptionError(`the URL must have no fragment, not ${full.hash}`);
	return href;
}
