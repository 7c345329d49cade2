import { createServer } from 'node:net';

// Below the ephemeral ports (Linux: 32768 to 60999, macOS and Windows: from 49152). If a server on an ephemeral port
// goes down, a reconnecting client can be given that same port as its local port: the server then can't restart, or the
// client even connects to itself.
const LOWEST = 20_000;
const HIGHEST = 31_999;

/** Ports that this thread has returned: two calls never return the same port, even before a server listens on it. */
const handedOut = new Set<number>();

/**
 * Returns a free loopback port outside the ephemeral range, so that clients do not take it while its server restarts.
 * It is not reserved: another process may take it first, so be ready to retry with another one.
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
