import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/** Where to listen. */
export interface ListenOptions {
	/** The port; 0 picks a free one. Default 3000, regardless of environment variables. */
	readonly port?: number;
	/** The address to bind. Default: all interfaces. */
	readonly hostname?: string;
	readonly tls?: Bun.TLSOptions;
	/** Bun's development mode, for applications with HTML imports. Default: Bun's own, from `NODE_ENV`. */
	readonly development?: Bun.Serve.Development;
	/** Lets several processes share the port (Linux only). */
	readonly reusePort?: boolean;
}

const DEFAULT_PORT = 3000;
const HIGHEST_PORT = 65_535;

/**
 * Returns the options with a port filled in; without one, Bun would read it from the environment.
 *
 * @throws {ApplicationError} the port is invalid
 */
export function readListenOptions(at: number | ListenOptions = {}): ListenOptions {
	const options = typeof at === 'object' && at !== null ? at : { port: at };
	const { port = DEFAULT_PORT } = options;
	if (!Number.isInteger(port) || port < 0 || port > HIGHEST_PORT) {
		throw new ApplicationError(`listen(): port must be a whole number from 0 to ${HIGHEST_PORT}, not ${show(port)}`);
	}
	return { ...options, port };
}
