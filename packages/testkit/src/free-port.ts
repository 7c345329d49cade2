import { createServer } from 'node:net';

// Below the range from which systems give out ports themselves (Linux: 32768 to 60999, macOS and Windows: from 49152).
// From inside it, a client that reconnects while a server is down can be given that server's port as its own local port:
// the server then can't come back, or the client even connects to itself.
const LOWEST = 20_000;
const HIGHEST = 31_999;

/** Ports of this thread, so that two calls in a row differ even before the first port is listened on. */
const handedOut = new Set<number>();

/**
 * A loopback port that nobody listens on, and that stays free while its server is down and up again.
 * It is not reserved: another process may be quicker, so be ready to try again with a new one.
 */
export async function freePort(): Promise<number> {
	for (let attempt = 0; attempt < 100; attempt++) {
		const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST + 1));
		if (!handedOut.has(port) && (await canListen(port))) {
			handedOut.add(port);
			return port;
		}
	}
	throw new Error(`found no free port between ${LOWEST} and ${HIGHEST} in 100 tries`);
}

function canListen(port: number): Promise<boolean> {
	const { promise, resolve } = Promise.withResolvers<boolean>();
	const server = createServer();
	server.once('error', () => resolve(false));
	server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
	return promise;
}
