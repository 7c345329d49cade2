import { ApplicationError } from '../errors.ts';
import { canonicalPath } from '../support/route-path.ts';
import type { ServedEndpoint } from './server-handlers.ts';

/**
 * Checks that one server can serve all of these endpoints.
 *
 * @throws {ApplicationError} two have the same path, or they treat slow readers differently: Bun has one setting for
 * all sockets of a server, which decides whether it drops messages or closes connections
 */
export function mustFitTogether(call: string, endpoints: readonly ServedEndpoint[]): void {
	const [first, ...others] = endpoints;
	if (first === undefined) return;
	const paths = new Set([canonicalPath(first.path)]);
	for (const { path, slowReaders, limits } of others) {
		const known = canonicalPath(path);
		if (paths.has(known)) throw new ApplicationError(`${call}: two endpoints have the path ${path}`);
		paths.add(known);
		if (slowReaders !== first.slowReaders) {
			throw new ApplicationError(
				`${call}: endpoints of one server must have the same slowReaders; ${first.path} has '${first.slowReaders}', and ` +
					`${path} '${slowReaders}'`,
			);
		}
		if (slowReaders === 'drop' && limits.queuedBytes !== first.limits.queuedBytes) {
			throw new ApplicationError(
				`${call}: endpoints of one server with slowReaders 'drop' must have the same limits.queuedBytes; ${first.path} ` +
					`has ${first.limits.queuedBytes}, and ${path} ${limits.queuedBytes}`,
			);
		}
	}
}
