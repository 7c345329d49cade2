import { isPosition, type Position, show } from '@orijs/websocket/protocol';
import { InvalidClientOptionError } from './errors.ts';

/** A class to connect with: the global `WebSocket`, or that of a package, such as `ws` or `undici`. */
export interface WebSocketConstructor {
	new (url: string): WebSocketLike;
}

/** What the client uses of a `WebSocket`. */
export interface WebSocketLike {
	readonly readyState: number;
	/** How many bytes wait to be written. If undefined, nothing is known of that. */
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
		 * How long after a ping no frame may arrive before the connection counts as lost, in milliseconds. While the ping
		 * waits behind other messages that are being sent, the time starts again. Default 10,000.
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
	 * The `positions` of an earlier client, from which the first subscription to each topic with history resumes.
	 * Default: none.
	 */
	readonly positions?: Readonly<Record<string, Position>>;
	/**
	 * The class to connect with, such as that of the package `ws`. Default: the global `WebSocket` of browsers, Bun,
	 * React Native, and Node from version 22.
	 */
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
	readonly positions: ReadonlyMap<string, Position>;
	/** Undefined if the option was not given and there is no global `WebSocket`. */
	readonly WebSocket: WebSocketConstructor | undefined;
}

/** The longest delay that a timer supports, in milliseconds. */
export const MAX_DELAY_MS = 2 ** 31 - 1;

/** Validates the options and fills in defaults. @throws {InvalidClientOptionError} an option is invalid */
export function settingsOf(options: SocketClientOptions): Settings {
	const { auth, heartbeat = {}, reconnect = {}, queue = {}, positions = {} } = known(options, 'options', OPTIONS);
	known(heartbeat, 'heartbeat', ['intervalMs', 'timeoutMs']);
	known(reconnect, 'reconnect', ['minDelayMs', 'maxDelayMs']);
	known(queue, 'queue', ['messages', 'characters']);
	if (auth !== undefined && typeof auth !== 'function') {
		throw new InvalidClientOptionError('auth must be a function');
	}
	const minDelayMs = delay('reconnect.minDelayMs', reconnect.minDelayMs ?? 500);
	const WebSocket = options.WebSocket ?? globalThis.WebSocket;
	if (WebSocket !== undefined && typeof WebSocket !== 'function') {
		throw new InvalidClientOptionError('WebSocket must be a class');
	}
	return {
		auth,
		connectTimeoutMs: delay('connectTimeoutMs', options.connectTimeoutMs ?? 15_000),
		requestTimeoutMs: delay('requestTimeoutMs', options.requestTimeoutMs ?? 10_000),
		heartbeat: {
			intervalMs: delay('heartbeat.intervalMs', heartbeat.intervalMs ?? 20_000),
			timeoutMs: delay('heartbeat.timeoutMs', heartbeat.timeoutMs ?? 10_000),
		},
		reconnect: {
			minDelayMs,
			maxDelayMs: delay('reconnect.maxDelayMs', reconnect.maxDelayMs ?? Math.max(30_000, minDelayMs), minDelayMs),
		},
		queue: {
			messages: number('queue.messages', queue.messages ?? 1_000),
			characters: number('queue.characters', queue.characters ?? 262_144),
		},
		positions: positionsOf(positions),
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

/** @throws {InvalidClientOptionError} the value is not an object, or has unknown keys */
export function known<T extends object>(value: T, name: string, keys: readonly string[]): T {
	if (typeof value !== 'object' || value === null) throw new InvalidClientOptionError(`${name} must be an object`);
	for (const key in value) {
		if (!keys.includes(key))
			throw new InvalidClientOptionError(`${name} has an unknown key ${key}; allowed are ${keys.join(', ')}`);
	}
	return value;
}

function positionsOf(positions: Readonly<Record<string, Position>>): ReadonlyMap<string, Position> {
	if (typeof positions !== 'object' || positions === null || Array.isArray(positions))
		throw new InvalidClientOptionError('positions must be an object');
	for (const [topic, position] of Object.entries(positions)) {
		if (isPosition(position)) continue;
		throw new InvalidClientOptionError(
			`positions[${JSON.stringify(topic)}] must be { epoch, offset }, as in client.positions`,
		);
	}
	return new Map(Object.entries(positions));
}

/** Returns the value if it is a valid delay. @throws {InvalidClientOptionError} it is not */
export function delay(name: string, value: number, min = 1): number {
	return number(name, value, min, MAX_DELAY_MS);
}

function number(name: string, value: number, min = 0, max = Infinity): number {
	if (typeof value === 'number' && value >= min && value <= max) return value;
	throw new InvalidClientOptionError(`${name} must be a number from ${min} to ${max}, not ${show(value)}`);
}
