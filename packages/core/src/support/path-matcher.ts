import { isPlainPath, otherForm } from './route-path.ts';

/** The values of the parameters in a path, by name, decoded. */
export type PathParams = Readonly<Record<string, string>>;

/** Returns the parameters of a URL with the path; undefined if it has another path. */
export type PathMatcher = (url: string) => PathParams | undefined;

const SLASH = 47;
const NO_PARAMS: PathParams = Object.freeze({});

/**
 * Creates a function that matches URLs as Bun matches routes: by their encoded paths, with parameters (`/:room`) that
 * are a whole segment, and `/*` at the end. In addition, a trailing slash makes no difference.
 */
export function pathMatcher(path: string): PathMatcher {
	return isPlainPath(path) ? plainMatcher(path) : segmentMatcher(path);
}

function plainMatcher(path: string): PathMatcher {
	const other = otherForm(path);
	return (url) => {
		const start = pathStart(url);
		const isMatch =
			(url.startsWith(other, start) && isPathEnd(url, start + other.length)) ||
			(url.startsWith(path, start) && isPathEnd(url, start + path.length));
		return isMatch ? NO_PARAMS : undefined;
	};
}

function segmentMatcher(path: string): PathMatcher {
	const isOpenEnded = path.endsWith('/*');
	const pattern = segmentsOf(isOpenEnded ? path.slice(0, -1) : path, isOpenEnded);
	return (url) => {
		const start = pathStart(url);
		const query = url.indexOf('?', start);
		const given = segmentsOf(url.slice(start, query < 0 ? undefined : query), isOpenEnded);
		// The last segment of an open-ended pattern is the empty one that `*` replaces.
		if (isOpenEnded ? given.length < pattern.length : given.length !== pattern.length) return undefined;
		const params: Record<string, string> = {};
		for (let i = 0; i < pattern.length - (isOpenEnded ? 1 : 0); i++) {
			const expected = pattern[i] as string;
			const segment = given[i] as string;
			if (!expected.startsWith(':')) {
				if (segment !== expected) return undefined;
			} else if (segment === '') return undefined;
			else params[expected.slice(1)] = decode(segment);
		}
		return params;
	};
}

/** Splits a path, without its trailing slash unless `keepsEnd`. */
function segmentsOf(path: string, keepsEnd: boolean): string[] {
	return (path.endsWith('/') && !keepsEnd ? path.slice(0, -1) : path).slice(1).split('/');
}

/** Returns where the path of a URL begins, which may have no host. */
function pathStart(url: string): number {
	return url.charCodeAt(0) === SLASH ? 0 : url.indexOf('/', url.indexOf('://') + 3);
}

function isPathEnd(url: string, index: number): boolean {
	return index === url.length || url[index] === '?';
}

const utf8 = new TextDecoder();

/** Decodes like Bun, which replaces bytes that are not UTF-8. */
function decode(segment: string): string {
	if (!segment.includes('%')) return segment;
	try {
		return decodeURIComponent(segment);
	} catch {
		const bytes = segment.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) =>
			String.fromCharCode(Number.parseInt(hex, 16)),
		);
		return utf8.decode(Buffer.from(bytes, 'latin1'));
	}
}
