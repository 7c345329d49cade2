import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/** The start of 2001, in milliseconds since the epoch. As seconds, today's times lie long before it. */
const EARLIEST = Date.UTC(2001, 0, 1);

/**
 * Returns when something expires, on the monotonic clock, in milliseconds: from then on, setting the system's clock
 * changes nothing. `Infinity` for undefined: it never expires.
 *
 * @param what the name of the value, for errors, such as `ctx.expiresAt`
 * @throws {ApplicationError} it is not a time, or lies before 2001
 */
export function expiryOf(what: string, expiresAt: unknown): number {
	if (expiresAt === undefined) return Infinity;
	const at = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt;
	if (typeof at !== 'number' || !Number.isFinite(at)) {
		throw new ApplicationError(
			`${what} must be a valid Date, or milliseconds since the epoch, not ${show(expiresAt)}; leave it undefined if ` +
				'it never expires',
		);
	}
	if (at < EARLIEST) {
		throw new ApplicationError(
			`${what} is ${at}, which lies before 2001: is it in seconds? It must be a Date, or milliseconds since the epoch`,
		);
	}
	return performance.now() + (at - Date.now());
}
