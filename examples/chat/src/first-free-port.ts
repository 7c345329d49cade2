/** The number of ports to try. */
const TRIES = 50;
const HIGHEST_PORT = 65_535;

/** Returns the port if it is free, or the next free port above it. */
export function firstFreePort(first: number, hostname: string): number {
	const last = Math.min(first + TRIES - 1, HIGHEST_PORT);
	for (let port = first; ; port++) {
		try {
			Bun.listen({ hostname, port, socket: { data() {} } }).stop(true);
			return port;
		} catch (error) {
			if (!isTaken(error) || port === last) throw error;
			console.log(`Port ${port} is taken, trying ${port + 1}.`);
		}
	}
}

function isTaken(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
