import { ApplicationError } from '../errors.ts';
import type { ListenOptions } from './http.ts';
import { show } from '../support/show.ts';

const DEFAULT_PORT = 3000;
const HIGHEST_PORT = 65_535;

/**
 * Where to listen, always with a port: given none, Bun would look for one in the environment.
 *
 * @throws {ApplicationError} the port can't be one
 */
export function whereToListen(at: number | ListenOptions = {}): ListenOptions {
	const options = typeof at === 'object' && at !== null ? at : { port: at };
	const { port = DEFAULT_PORT } = options;
	if (!Number.isInteger(port) || port < 0 || port > HIGHEST_PORT) {
		throw new ApplicationError(`listen(): a port is a whole number from 0 to ${HIGHEST_PORT}, not ${show(port)}`);
	}
	return { ...options, port };
}
