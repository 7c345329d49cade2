import { isPosition, type Position } from '@orijs/websocket/protocol';
import { InvalidClientOptionError } from './errors.ts';

/** What makes WebSockets: the global class, or one that takes the same arguments. */
export interface WebSocketConstructor {
	new (url: string): WebSocket;
}

export interface SocketClientOptions {
	/**
	 * What the server's guards are shown as `ctx.auth`, anything that is JSON; asked for anew before each connection, and carried in its
	 * first frame, never in the URL. If it throws or rejects, that goes to `onError`, and the next try comes as after a
	 * failed connection. Default: nothing is shown.
	 */
	readonly auth?: () => unknown;
	/** How long `auth()`, and then connecting until the guards have passed, may take each, in milliseconds. Default 15,000. */
	readonly connectTimeoutMs?: number;
	/** How long a request may take in all, in milliseconds, unless it says so itself. Default 10,000. */
	readonly requestTimeoutMs?: number;
	/** How a server that is gone is noticed, and when what arrived last is known. */
	readonly heartbeat?: {
		/** How often the server is asked whether it is there, in milliseconds. Default 20,000. */
		readonly intervalMs?: number;
		/** How long it may take to answer, in milliseconds; then the connection is given up. Default 10,000. */
		readonly timeoutMs?: number;
	};
	/** When to come back, unless the server says when. */
	readonly reconnect?: {
		/** The bound of the first wait, in milliseconds; it doubles with each try that fails. Waits are random up to it. Default 500. */
		readonly minDelayMs?: number;
		/** The bound that waits don't grow beyond, in milliseconds. Default 30,000. */
		readonly maxDelayMs?: number;
	};
	/** What may wait to be sent while there is no connection; more is refused at once. */
	readonly queue?: {
		/** Default 100. 0: nothing waits. */
		readonly messages?: number;
		/** In all, counted in UTF-16 code units of JSON text. Default 262,144. */
		readonly characters?: number;
	};
	/**
	 * Where topics with history were left off, as another client's `positions` said: the first subscription to each goes on from there. Default: none.
	 */
	readonly positions?: Readonly<Record<string, Position>>;
	/** What to make connections with. Default: the global `WebSocket`, which browsers, Bun and Node (from 22 on) have. */
	readonly WebSocket?: WebSocketConstructor;
}

/** All options, with their defaults where nothing else was said. */
export interface Settings {
	readonly auth: (() => unknown) | undefined;
	readonly connectTimeoutMs: number;
	readonly requestTimeoutMs: number;
	readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number };
	readonly reconnect: { readonly minDelayMs: number; readonly maxDelayMs: number };
	readonly queue: { readonly messages: number; readonly characters: number };
	readonly positions: ReadonlyMap<string, Position>;
	readonly WebSocket: WebSocketConstructor;
}

/** The longest delay a timer can have, in milliseconds. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** @throws {InvalidClientOptionError} */
export function settingsOf(options: SocketClientOptions): Settings {
	const { auth, heartbeat = {}, reconnect = {}, queue = {}, positions = {} } = known(options, 'options', OPTIONS);
	known(heartbeat, 'heartbeat', ['intervalMs', 'timeoutMs']);
	known(reconnect, 'reconnect', ['minDelayMs', 'maxDelayMs']);
	known(queue, 'queue', ['messages', 'characters']);
	if (auth !== undefined && typeof auth !== 'function') {
		throw new InvalidClientOptionError('auth must be a function that returns the credentials');
	}
	const minDelayMs = delay('reconnect.minDelayMs', reconnect.minDelayMs ?? 500);
	const WebSocket = options.WebSocket ?? globalThis.WebSocket;
	if (typeof WebSocket !== 'function') {
		throw new InvalidClientOptionError(
			'WebSocket must be a class; without a global one, as in Node before 22, it is required',
		);
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
			messages: count('queue.messages', queue.messages ?? 100),
			characters: count('queue.characters', queue.characters ?? 262_144),
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

/** @throws {InvalidClientOptionError} it is no object, or has keys that mean nothing here */
function known<T extends object>(value: T, name: string, keys: readonly string[]): T {
	if (typeof value !== 'object' || value === null) throw new InvalidClientOptionError(`${name} must be an object`);
	for (const key of Object.keys(value)) {
		if (!keys.includes(key)) throw new InvalidClientOptionError(`${name} has no ${key}, only ${keys.join(', ')}`);
	}
	return value;
}

function positionsOf(positions: Readonly<Record<string, Position>>): ReadonlyMap<string, Position> {
	if (typeof positions !== 'object' || positions === null || Array.isArray(positions))
		throw new InvalidClientOptionError('positions must be an object');
	for (const [topic, position] of Object.entries(positions)) {
		if (isPosition(position)) continue;
		throw new InvalidClientOptionError(
			`positions[${JSON.stringify(topic)}] must be { epoch, offset }, as client.positions has it`,
		);
	}
	return new Map(Object.entries(positions));
}

/** @throws {InvalidClientOptionError} */
export function delay(name: string, value: number, min = 1): number {
	if (typeof value === 'number' && value >= min && value <= MAX_DELAY_MS) return value;
	throw new InvalidClientOptionError(
		`${name} must be a number of milliseconds from ${min} to ${MAX_DELAY_MS}, not ${String(value)}`,
	);
}

function count(name: string, value: number): number {
	if (typeof value === 'number' && value >= 0) return value;
	throw new InvalidClientOptionError(`${name} must be a number from 0, not ${String(value)}`);
}
