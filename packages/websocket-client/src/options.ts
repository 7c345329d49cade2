import { show } from '@orijs/websocket/protocol';
import { InvalidClientOptionError } from './errors.ts';
import type { GivenPositions } from './positions/position-storage.ts';

/** A class to connect with: the global `WebSocket`, or that of a package, such as `ws` or `undici`. */
export interface WebSocketConstructor {
	new (url: string): WebSocketLike;
}

/** What the client uses of a `WebSocket`. */
export interface WebSocketLike {
	readonly readyState: number;
	/** How many bytes wait to be written. On React Native it is undefined, which counts as 0. */
	readonly bufferedAmount: number;
	binaryType: string;
	send(text: string): void;
	close(code: number, reason: string): void;
	// `any`, because each package has event types of its own.
	addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: any) => void): void;
}

export interface SocketClientOptions {
	/**
	 * Returns the client's credentials, which can be any JSON value. The server's guards receive them as `ctx.auth`. The
	 * credentials are sent in the first frame, never in the URL. Called before each connection. If `auth` throws or
	 * rejects, the error goes to `onError`, and the client retries as after a failed connection. `signal` is aborted
	 * when the result is no longer wanted: after `connectTimeoutMs`, or when the client is closed. Default: no
	 * credentials.
	 */
	readonly auth?: Auth;
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
		 * How long the connection may be silent after a ping before it counts as lost, in milliseconds. If a frame has
		 * arrived in that time, or something that was sent before the ping was written, the time starts again. Default
		 * 10,000.
		 */
		readonly timeoutMs?: number;
	};
	/**
	 * When to reconnect, unless the server asks for a certain delay. Delays are random, between 0 and an upper bound.
	 * `false`: there is one attempt, and a lost connection closes the client.
	 */
	readonly reconnect?:
		| false
		| {
				/**
				 * The upper bound of the first delay, in milliseconds. The bound doubles with each failed attempt. Default
				 * 500.
				 */
				readonly minDelayMs?: number;
				/** The largest upper bound, in milliseconds. Default 30,000, or `minDelayMs` if that is larger. */
				readonly maxDelayMs?: number;
				/**
				 * The number of failed attempts in a row after which the client closes itself. 0 is the same as
				 * `reconnect: false`. Default: unlimited.
				 */
				readonly maxAttempts?: number;
		  };
	/**
	 * How much may be queued while there is no connection, or the server's rate limit allows no more. Messages beyond
	 * that are refused immediately.
	 */
	readonly queue?: {
		/** The number of messages. Default 1,000; 0 disables the queue. */
		readonly messages?: number;
		/** The total size of the messages, in UTF-16 code units of JSON text. Default 262,144. */
		readonly characters?: number;
	};
	/**
	 * From where topics with history resume: a storage such as `localStorage`, in which the client also keeps its
	 * positions for later clients of the same endpoint, or the `positions` of an earlier client. Default: nothing.
	 */
	readonly positions?: GivenPositions | undefined;
	/**
	 * The class to connect with, such as that of the package `ws`. Default: the global `WebSocket` of browsers, Bun,
	 * React Native, and Node from version 22.
	 */
	readonly WebSocket?: WebSocketConstructor;
}

export type Auth = (call: { readonly signal: AbortSignal }) => unknown;

/** All options, with defaults for those that were not given. */
export interface Settings {
	readonly auth: Auth | undefined;
	readonly connectTimeoutMs: number;
	readonly requestTimeoutMs: number;
	readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
	/** `maxAttempts` is 0 if a lost connection must not be replaced either. */
	readonly reconnect: { readonly minDelayMs: number; readonly maxDelayMs: number; readonly maxAttempts: number };
	readonly queue: { readonly messages: number; readonly characters: number };
	readonly positions: GivenPositions;
	/** Undefined if the option was not given and there is no global `WebSocket`. */
	readonly WebSocket: WebSocketConstructor | undefined;
}

/** The longest delay that a timer supports, in milliseconds. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1;

/** Validates the options and fills in defaults. @throws {InvalidClientOptionError} an option is invalid */
export function settingsOf(options: SocketClientOptions): Settings {
	const times = filled('options', options, { connectTimeoutMs: 15_000, requestTimeoutMs: 10_000 }, OPTIONS);
	const { auth, heartbeat, queue, positions = {}, WebSocket = globalThis.WebSocket } = options;
	const given = options.reconnect === false ? { maxAttempts: 0 } : options.reconnect;
	const reconnect = filled('reconnect', given, {
		minDelayMs: 500,
		maxDelayMs: Math.max(30_000, given?.minDelayMs ?? 0),
		maxAttempts: Infinity,
	});
	inRange('reconnect.maxDelayMs', reconnect.maxDelayMs, reconnect.minDelayMs);
	return {
		...times,
		auth,
		heartbeat: filled('heartbeat', heartbeat, { intervalMs: 20_000, timeoutMs: 10_000 }),
		reconnect,
		queue: filled('queue', queue, { messages: 1_000, characters: 262_144 }),
		positions: known(positions, 'positions'),
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
	keys: readonly string[] = Object.keys(defaults),
): T {
	known(given, name, keys);
	const values: Record<string, number> = {};
	for (const key in defaults) values[key] = inRange(`${name}.${key}`, given[key] ?? (defaults[key] as number));
	return values as T;
}

/** The options that are functions. A class is one, too. */
const FUNCTION = /^(auth|WebSocket|on[A-Z].*)$/;

/**
 * Checks the names of options, and the values of those whose names show that they are functions or signals.
 *
 * @param keys the names that are allowed. If undefined, any are
 * @throws {InvalidClientOptionError} the options are not an object, or one of them is unknown or invalid
 */
export function known<T extends object>(options: T, name: string, keys?: readonly string[]): T {
	if (typeof options !== 'object' || !options || Array.isArray(options)) throw mustBe(name, 'an object', options);
	if (keys)
		for (const key in options) {
			const value = options[key] as { readonly addEventListener?: unknown } | null | undefined;
			if (!keys.includes(key)) throw mustBe(`a key of ${name}`, `one of ${keys.join(', ')}`, key);
			if (value === undefined) continue;
			if (FUNCTION.test(key) && typeof value !== 'function') throw mustBe(key, 'a function', value);
			if (key === 'signal' && !value?.addEventListener) throw mustBe(key, 'an AbortSignal', value);
		}
	return options;
}

/**
 * Returns the value if it is a number in the allowed range: what a timer supports if the name ends in `Ms`, otherwise
 * any from 0.
 *
 * @throws {InvalidClientOptionError} it is not
 */
export function inRange(name: string, value: number, min: number = Number(name.endsWith('Ms'))): number {
	const max = name.endsWith('Ms') ? MAX_DELAY_MS : Infinity;
	if (typeof value === 'number' && value >= min && value <= max) return value;
	throw mustBe(name, `a number from ${min} to ${max}`, value);
}

/** Returns the error that says what is allowed. */
export function mustBe(name: string, allowed: string, value: unknown): InvalidClientOptionError {
	return new InvalidClientOptionError(`${name} must be ${allowed}, not ${show(value)}`);
}
