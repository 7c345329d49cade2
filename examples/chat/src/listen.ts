import type { Application } from '@orijs/core';

/** How many ports are tried. */
const TRIES = 50;
const HIGHEST_PORT = 65_535;

/**
 * Listens on a port, or if that is taken on the next free one above. An application listens once, so `create` is asked for a new
 * one per try; it can know its port from the beginning.
 */
export async function listenFrom<TApp extends Pick<Application, 'listen'>>(
	first: number,
	create: (port: number) => TApp,
): Promise<{ readonly app: TApp; readonly port: number }> {
	const last = Math.min(first + TRIES - 1, HIGHEST_PORT);
	for (let port = first; ; port++) {
		const app = create(port);
		try {
			await app.listen(port);
			return { app, port };
		} catch (error) {
			if (!isTaken(error) || port === last) throw error;
			console.log(`Port ${port} is taken, trying ${port + 1}.`);
		}
	}
}

function isTaken(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}
