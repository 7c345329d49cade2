import { InvalidClientOptionError } from './errors.ts';
import type { GivenPositions } from './positions/position-storage.ts';

/** The global `WebSocket`, or a class that takes the same arguments. */
export interface WebSocketConstructor {
	new (url: string): WebSocket;
}

export interface SocketClientOptions {
	/**
	 * Returns the client's credentials, which can be any JSON value. The server's guards receive them as `ctx.auth`. The
	 * credentials are sent in the first frame, never in the URL. Called before each connection. If `auth` throws or
	 * rejects, the error goes to `onError`, and the client retries as after a failed connection. Default: no
	 * credentials.
	 */
	readonly auth?: () => unknown;
	/**
	 * How long `auth()` may take, in milliseconds. Connecting and passing the guards may then take just as long again.
	 * Default 15,000.
	 */
	readonly connectTimeoutMs?: number;
	/** How long a request without its own timeout may take, in milliseconds. Default 10,000. */
	readonly requestTimeoutMs?: number;
	/** How a dead connection is detected. */
	readonly heartbeat?: {
		/** How often the client pings the server, in milliseconds. Default 20,000. */
		readonly intervalMs?: number;
		/**
		 * How long the answer to a ping may take before the connection counts as lost, in milliseconds. Default 10,000.
		 */
		readonly timeoutMs?: number;
	};
	/**
	 * When to reconnect, unless the server asks for a certain delay. Delays are random, between 0 and an upper bound.
	 */
	readonly reconnect?: {
		/**
		 * The upper bound of the first delay, in milliseconds. The bound doubles with each failed attempt. Default 500.
		 */
		readonly minDelayMs?: number;
		/** The largest upper bound, in milliseconds. Default 30,000. */
		readonly maxDelayMs?: number;
	};
	/** How much may be queued while there is no connection. Messages beyond that are refused immediately. */
	readonly queue?: {
		/** The number of messages. Default 100; 0 disables the queue. */
		readonly messages?: number;
		/** The total size of the messages, in UTF-16 code units of JSON text. Default 262,144. */
		readonly characters?: number;
	};
	/**
	 * From where topics with history resume: a storage such as `localStorage`, in which the client also keeps its
	 * positions for later clients of the same endpoint, or the `positions` of an earlier client. Default: nothing.
	 */
	readonly positions?: GivenPositions | undefined;
	/** The class to connect with. Default: the global `WebSocket` of browsers, Bun, and Node from version 22. */
	readonly WebSocket?: WebSocketConstructor;
}

/** All options, with defaults for those that were not given. */
export interface Settings {
	readonly auth: (() => unknown) | undefined;
	readonly connectTimeoutMs: number;
	readonly requestTimeoutMs: number;
	readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
	readonly reconnect: { readonly minDelayMs: number; readonly maxDelayMs: number };
	readonly queue: { readonly messages: number; readonly characters: number };
	readonly positions: GivenPositions;
	readonly WebSocket: WebSocketConstructor;
}

/** The longest delay that a timer supports, in milliseconds. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Validates the options and fills in defaults. @throws {InvalidClientOptionError} an option is invalid */
export function settingsOf(options: SocketClientOptions): Settings {
	known(options, 'options', OPTIONS);
	const { auth, positions = {}, WebSocket = globalThis.WebSocket } = options;
	if (auth !== undefined && typeof auth !== 'function') {
		throw new InvalidClientOptionError('auth must be a function');
	}
	if (typeof WebSocket !== 'function') {
		throw new InvalidClientOptionError('WebSocket must be a class; Node has none before version 22');
	}
	known(positions, 'positions');
	const reconnect = filled('reconnect', options.reconnect, {
		minDelayMs: 500,
		maxDelayMs: Math.max(30_000, options.reconnect?.minDelayMs ?? 0),
	});
	inRange('reconnect.maxDelayMs', reconnect.maxDelayMs, reconnect.minDelayMs);
	return {
		auth,
		connectTimeoutMs: inRange('connectTimeoutMs', options.connectTimeoutMs ?? 15_000),
		requestTimeoutMs: inRange('requestTimeoutMs', options.requestTimeoutMs ?? 10_000),
		heartbeat: filled('heartbeat', options.heartbeat, { intervalMs: 20_000, timeoutMs: 10_000 }),
		reconnect,
		queue: filled('queue', options.queue, { messages: 100, characters: 262_144 }, 0, Infinity),
		positions,
		WebSocket,
	};
}

const OPTIONS = [
	'auth',
	'connectTimeoutMs',
	'requestTimeoutMs',
	'heartbeat',
	'reconnect',
	'queue',
	'positions',
	'WebSocket',
];

/** Fills in defaults, and validates all values. @throws {InvalidClientOptionError} */
function filled<T extends Record<string, number>>(
	name: string,
	given: Partial<T> = {},
	defaults: T,
	min = 1,
	max: number = MAX_DELAY_MS,
): T {
	known(given, name, Object.keys(defaults));
	const values: Record<string, number> = {};
	for (const [key, value] of Object.entries(defaults))
		values[key] = inRange(`${name}.${key}`, given[key] ?? value, min, max);
	return values as T;
}

/** @throws {InvalidClientOptionError} the value is not an object, or has unknown keys */
function known(value: object, name: string, keys?: readonly string[]): void {
	if (typeof value !== 'object' || value === null || Array.isArray(value))
		throw new InvalidClientOptionError(`${name} must be an object`);
	for (const key of Object.keys(value))
		if (keys?.includes(key) === false)
			throw new InvalidClientOptionError(`${name}.${key} is unknown; allowed are ${keys.join(', ')}`);
}

/** Returns the value if it is a number in this range. @throws {InvalidClientOptionError} it is not */
export function inRange(name: string, value: number, min = 1, max: number = MAX_DELAY_MS): number {
	if (typeof value === 'number' && value >= min && value <= max) return value;
	throw new InvalidClientOptionError(`${name} must be a number from ${min} to ${max}, not ${show(value)}`);
}

/** Quotes strings, so that `'500'` is not mistaken for a number. */
function show(value: unknown): string {
	return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
