import { createServer } from 'node:net';

// The range is below the ephemeral ports (on Linux 32768 to 60999, on macOS and Windows from 49152). If a server on an
// ephemeral port went down, a reconnecting client could get that same port as its local port. Then the server could not
// restart, or the client would even connect to itself.
const LOWEST = 20_000;
const HIGHEST = 31_999;

/**
 * The ports that this thread has returned. Two calls never return the same port, even if no server listens on it yet.
 */
const handedOut = new Set<number>();

/**
 * Resolves with a free loopback port outside the ephemeral range, so that clients can't take it while its server
 * restarts. The port is not reserved: another process may take it first, so be prepared to try again with another port.
 */
export async function freePort(): Promise<number> {
	for (let attempt = 0; attempt < 100; attempt++) {
		const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
		if (!handedOut.has(port) && (await canListen(port))) {
			handedOut.add(port);
			return port;
		}
	}
	throw new Error(`no free port between ${LOWEST} and ${HIGHEST} in 100 attempts`);
}

function canListen(port: number): Promise<boolean> {
	const { promise, resolve } = Promise.withResolvers<boolean>();
	const server = createServer();
	server.once('error', () => resolve(false));
	server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	return promise;
}
