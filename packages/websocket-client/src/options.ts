import { show } from '@orijs/websocket/protocol';
import { InvalidClientOptionError } from './errors.ts';
import type { GivenPositions } from './positions/position-storage.ts';

/** A class to connect with: the global `WebSocket`, or that of a package, such as `ws` or `undici`. */
export interface WebSocketConstructor {
	new (url: string, protocols: string[]): WebSocketLike;
}

/** What the client uses of a `WebSocket`. */
export interface WebSocketLike {
	readonly readyState: number;
	/** The subprotocol that the server has confirmed. */
	readonly protocol: string;
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
	 * Returns the client's credentials, which can be any JSON value. The server's `authenticate` has them as `ctx.auth`.
	 * They are sent in the first frame, never in the URL. Called before each connection, and again before the
	 * credentials expire. If `auth` throws or rejects, the error goes to `onError`, and the client tries again. `signal`
	 * is aborted when the result is no longer wanted: after `connectTimeoutMs`, or when the client is closed. Default:
	 * no credentials.
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
	readonly reconnect?: false | ReconnectOptions;
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

export interface ReconnectOptions {
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
}

export type Auth = (call: { readonly signal: AbortSignal }) => unknown;

/** All options, with defaults for those that were not given. */
export interface Settings {
	readonly auth?: Auth | undefined;
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

/** What a value must be: in words, and a test. */
type Rule = readonly [allowed: string, isAllowed: (value: any) => unknown];

const OBJECT: Rule = ['an object', (value) => typeof value === 'object' && value && !Array.isArray(value)];

function between(min: number, max: number): Rule {
	return [`a number from ${min} to ${max}`, (value) => typeof value === 'number' && value >= min && value <= max];
}

function whole(min: number, max: number): Rule {
	const [allowed, isBetween] = between(min, max);
	return [`a whole ${allowed.slice(2)}`, (value) => isBetween(value) && (value % 1 === 0 || value === Infinity)];
}

/** The rules for options, by their names, whichever call has them. The others are checked where they are used. */
const RULES: readonly (readonly [name: RegExp, rule: Rule])[] = [
	[/Ms$/, between(1, MAX_DELAY_MS)],
	[/^(auth|WebSocket|on[A-Z].*)$/, ['a function', (value) => typeof value === 'function']],
	[/^signal$/, ['an AbortSignal', (value) => value?.addEventListener]],
	[/^latest$/, ['a string', (value) => typeof value === 'string']],
	[/^positions$/, OBJECT],
	[/^members$/, ['true or false', (value) => typeof value === 'boolean']],
	[/^schema$/, ['a Standard Schema', (value) => value?.['~standard']?.validate]],
	[/^rewind$/, whole(1, 100_000)],
	[/^buffer$/, whole(1, 1_000_000)],
	[/^maxAttempts$/, whole(0, Infinity)],
	[/^(messages|characters)$/, between(0, Infinity)],
];

/** Validates the options and fills in defaults. @throws {InvalidClientOptionError} an option is invalid */
export function settingsOf(options: SocketClientOptions): Settings {
	const settings = checked('options', options, {
		auth: undefined,
		connectTimeoutMs: 15_000,
		requestTimeoutMs: 10_000,
		heartbeat: undefined,
		reconnect: undefined,
		queue: undefined,
		positions: {},
		WebSocket: globalThis.WebSocket,
	});
	const given: ReconnectOptions | undefined = settings.reconnect === false ? { maxAttempts: 0 } : settings.reconnect;
	const reconnect = checked<ReconnectOptions, Settings['reconnect']>('reconnect', given, {
		minDelayMs: 500,
		maxDelayMs: Math.max(30_000, given?.minDelayMs ?? 0),
		maxAttempts: Infinity,
	});
	mustKeep(between(reconnect.minDelayMs, MAX_DELAY_MS), 'reconnect.maxDelayMs', reconnect.maxDelayMs);
	return {
		...settings,
		heartbeat: checked('heartbeat', settings.heartbeat, { intervalMs: 20_000, timeoutMs: 10_000 }),
		reconnect,
		queue: checked('queue', settings.queue, { messages: 1_000, characters: 262_144 }),
	};
}

/** The options, of which those with a default are not undefined. */
type Filled<TGiven, TDefaults> = TGiven & {
	readonly [K in keyof TDefaults as TDefaults[K] extends undefined ? never : K]: TDefaults[K];
};

/**
 * Checks options, and returns them with defaults for those that were not given.
 *
 * @param defaults of all options that are allowed
 * @throws {InvalidClientOptionError} the options are not an object, or one of them is unknown or invalid
 */
export function checked<TGiven extends object, TDefaults extends object>(
	name: string,
	given: TGiven | undefined,
	defaults: TDefaults & { readonly [K in keyof TGiven]-?: unknown },
): Filled<TGiven, TDefaults> {
	const all: Record<string, unknown> = { ...defaults };
	if (given !== undefined) mustKeep(OBJECT, name, given);
	for (const key in given) {
		const value = given[key];
		mustBe(Object.hasOwn(all, key), `a key of ${name}`, `one of ${Object.keys(all).join(', ')}`, key);
		if (value === undefined) continue;
		for (const [option, rule] of RULES) if (option.test(key)) mustKeep(rule, `${name}.${key}`, value);
		all[key] = value;
	}
	return all as Filled<TGiven, TDefaults>;
}

/** @throws {InvalidClientOptionError} the value is not allowed */
function mustKeep([allowed, isAllowed]: Rule, name: string, value: unknown): void {
	mustBe(isAllowed(value), name, allowed, value);
}

/** @param allowed what is allowed, in words @throws {InvalidClientOptionError} the value is not allowed */
export function mustBe(isAllowed: unknown, name: string, allowed: string, value: unknown): void {
	if (!isAllowed) throw new InvalidClientOptionError(`${name} must be ${allowed}, not ${show(value)}`);
}
