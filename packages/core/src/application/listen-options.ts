import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';
import { checkOptions } from '../support/check-options.ts';

/** Where to listen. */
export interface ListenOptions {
	/** The port; 0 picks a free one. Default 3000, regardless of environment variables. */
	readonly port?: number;
	/** The address to bind. Default: all interfaces. */
	readonly hostname?: string;
	readonly tls?: Bun.TLSOptions;
	/** Bun's development mode, for applications with HTML imports. Default: as Bun derives it from `NODE_ENV`. */
	readonly development?: Bun.Serve.Development;
	/** Lets several processes share the port (Linux only). */
	readonly reusePort?: boolean;
}

const DEFAULT_PORT = 3000;
const HIGHEST_PORT = 65_535;

const OPTIONS = ['port', 'hostname', 'tls', 'development', 'reusePort'] as const satisfies (keyof ListenOptions)[];

/**
 * Returns the options with a port filled in; without one, Bun would read it from the environment.
 *
 * @param given the arguments of `listen()`
 * @throws {ApplicationError} an option is unknown or invalid, or there is more than one argument
 */
export function readListenOptions(given: readonly unknown[]): ListenOptions & { readonly port: number } {
	const [at = {}, ...more] = given as readonly [(number | ListenOptions)?];
	if (more.length > 0) {
		throw new ApplicationError(
			`listen(): pass one argument, a port or { ${OPTIONS.join(', ')} }, and await the promise instead of passing a ` +
				`callback; not ${given.map(show).join(', ')}`,
		);
	}
	const options = typeof at === 'object' && at !== null ? at : { port: at };
	checkOptions('listen()', options, OPTIONS);
	const { port = DEFAULT_PORT } = options;
	if (!Number.isInteger(port) || port < 0 || port > HIGHEST_PORT) {
		throw new ApplicationError(`listen(): port must be a whole number from 0 to ${HIGHEST_PORT}, not ${show(port)}`);
	}
	return { ...options, port };
}
