import { mustBe } from '../options.ts';

/**
 * Returns the full `ws:` or `wss:` URL of an endpoint. Also accepts `http:` and `https:` URLs, and relative URLs such
 * as `/ws`. Where there is no page to which a URL can be relative, returns it as it is, unless it `mustBeFull`.
 *
 * @throws {InvalidClientOptionError} the URL is invalid
 */
export function endpointUrl(url: string | URL, mustBeFull = false): string {
	const text = String(url);
	const isRelative = !/^[\w+.-]+:/.test(text);
	const base = isRelative ? (globalThis as { location?: { href?: string } }).location?.href : undefined;
	if (isRelative && url && !base && !mustBeFull) return text;
	let href = '';
	try {
		({ href } = new URL(text, base));
	} catch {
		// The empty text is not a valid URL.
	}
	// Before 0.85, React Native's `URL` has few properties, and `href` has a slash too many.
	if (href === `${text}/`) href = text;
	// The scheme is replaced in the text, because the setter of `protocol` silently ignores some changes.
	href = href.replace(/^http/, 'ws');
	mustBe(/^wss?:\/\/[^#]+$/.test(href), 'the URL', 'like wss://example.com/ws, without #', text);
	return href;
}
