import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';
import { checkOptions } from '../support/check-options.ts';

/** Where to listen: on a port, or on a Unix socket. */
export type ListenOptions = PortOptions | UnixSocketOptions;

/** Listens on a port. */
export interface PortOptions extends SharedOptions {
	/** The port; 0 picks a free one. Default 3000, regardless of environment variables. */
	readonly port?: number;
	/** The address to bind. Default: all interfaces. */
	readonly hostname?: string;
	/** Lets several processes share the port (Linux only). */
	readonly reusePort?: boolean;
	readonly unix?: never;
}

/** Listens on a Unix socket, for a proxy on the same machine. */
export interface UnixSocketOptions extends SharedOptions {
	/**
	 * The path of the socket file, at most 107 bytes (103 on macOS). A file that another process has left is replaced;
	 * if a server listens on it, `listen` rejects. Stopping removes the file. Its mode depends on the umask of the
	 * process: usually, only processes of the same user can connect.
	 */
	readonly unix: string;
	readonly port?: never;
	readonly hostname?: never;
	readonly reusePort?: never;
}

interface SharedOptions {
	readonly tls?: Bun.TLSOptions;
	/** Bun's development mode, for applications with HTML imports. Default: as Bun derives it from `NODE_ENV`. */
	readonly development?: Bun.Serve.Development;
}

const DEFAULT_PORT = 3000;
const HIGHEST_PORT = 65_535;
/** The size of `sun_path` in `sockaddr_un`, without the final zero byte. */
const LONGEST_UNIX_PATH = process.platform === 'linux' ? 107 : 103;
/** Options that have no meaning on a Unix socket. */
const PORT_ONLY = ['port', 'hostname', 'reusePort'] as const;

const OPTIONS = [
	'port',
	'hostname',
	'unix',
	'tls',
	'development',
	'reusePort',
] as const satisfies (keyof PortOptions)[];

/**
 * Returns the options, with a port filled in unless there is a Unix socket: if the port is missing, Bun reads it from
 * the environment.
 *
 * @param given the arguments of `listen()`
 * @throws {ApplicationError} an option is unknown or invalid, both a port and a Unix socket were given, or there is
 * more than one argument
 */
export function readListenOptions(given: readonly unknown[]): ListenOptions {
	const [at = {}, ...more] = given as readonly [(number | ListenOptions)?];
	if (more.length > 0) {
		throw new ApplicationError(
			`listen(): pass one argument, a port or { ${OPTIONS.join(', ')} }, and await the promise instead of passing a ` +
				`callback; not ${given.map(show).join(', ')}`,
		);
	}
	const options = typeof at === 'object' && at !== null ? at : { port: at };
	checkOptions('listen()', options, OPTIONS);
	if (options.unix !== undefined) {
		checkUnixSocket(options);
		return options;
	}
	const { port = DEFAULT_PORT } = options;
	if (!Number.isInteger(port) || port < 0 || port > HIGHEST_PORT) {
		throw new ApplicationError(`listen(): port must be a whole number from 0 to ${HIGHEST_PORT}, not ${show(port)}`);
	}
	return { ...options, port };
}

function checkUnixSocket({ unix, ...rest }: UnixSocketOptions): void {
	const isPath = typeof unix === 'string' && unix !== '' && !unix.includes('\0');
	if (!isPath || Buffer.byteLength(unix) > LONGEST_UNIX_PATH) {
		throw new ApplicationError(
			`listen(): unix must be the path of a socket file, such as '/run/app.sock', of at most ${LONGEST_UNIX_PATH} bytes, ` +
				`not ${show(unix)}`,
		);
	}
	for (const name of PORT_ONLY) {
		if (rest[name] === undefined) continue;
		throw new ApplicationError(
			`listen(): unix and ${name} cannot be combined; pass { unix } for a Unix socket, or { port, hostname } for a port`,
		);
	}
}
