import { lstat, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { ApplicationError } from '../errors.ts';

/** How long another server may take to accept a connection, in milliseconds. */
const PROBE_TIMEOUT_MS = 2_000;

/**
 * Removes the socket file that a killed server has left: while the file exists, no other server can listen there.
 *
 * @throws {ApplicationError} a server listens on the socket or might do so, or the file is not a socket
 */
export async function removeStaleSocket(path: string): Promise<void> {
	const file = await lstat(path).catch(() => undefined);
	// If the path can't be read for another reason, listening fails with that reason.
	if (file === undefined) return;
	if (!file.isSocket())
		throw new ApplicationError(`listen(): ${path} exists and is not a socket; it was left as it is`);
	const fault = await probe(path);
	if (fault === undefined) throw new ApplicationError(`listen(): ${path} is in use: a server listens on it`);
	if (fault === 'ECONNREFUSED') await rm(path, { force: true });
	else if (fault !== 'ENOENT') {
		throw new ApplicationError(
			`listen(): ${path} exists, and a server might be listening on it: connecting failed with ${fault}`,
		);
	}
}

/** Connects to a socket. Resolves with undefined if a server accepts the connection, otherwise with an error code. */
function probe(path: string): Promise<string | undefined> {
	const { promise, resolve } = Promise.withResolvers<string | undefined>();
	const socket = connect({ path, timeout: PROBE_TIMEOUT_MS });
	socket.once('connect', () => resolve(undefined));
	socket.once('timeout', () => resolve('ETIMEDOUT'));
	socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
	return promise.finally(() => socket.destroy());
}
