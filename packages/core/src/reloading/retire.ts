import type { Logger } from '@orijs/websocket';
import { within } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/** How long to wait for connections, handlers and requests, in milliseconds. */
const GRACE_MS = 1_000;
/** After this many milliseconds, newer code starts even if the application has not stopped. */
const RETIRING_MS = 10_000;

/** Stops an application or an endpoint because newer code replaces it. Never rejects. */
export async function retire(
	what: 'application' | 'endpoint',
	stop: (graceMs: number) => Promise<void>,
	logger: Logger,
): Promise<void> {
	logger.info('Stopping, because the code has changed');
	try {
		await within(
			RETIRING_MS,
			stop(GRACE_MS),
			() => new ApplicationError(`the ${what} did not stop within ${RETIRING_MS} ms`),
		);
	} catch (err) {
		logger.error(`The ${what} replaced by newer code failed to stop cleanly`, { err });
	}
}
