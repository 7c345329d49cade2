import { show } from '@orijs/websocket/internal';
import { ApplicationError } from './errors.ts';

/** Limits of one WebSocket endpoint. Counts and rates accept `Infinity` for no limit. */
export interface Limits {
	/**
	 * Connections to this process, including those still being upgraded; further ones are refused with 503. Default
	 * 50,000.
	 */
	readonly connections?: number;
	/**
	 * Connections per client address (per /64 for IPv6), including those still being upgraded; further ones are refused
	 * with 429. Default 1,000 for public addresses; private and loopback addresses, mostly proxies, are limited only if
	 * this is set.
	 */
	readonly connectionsPerAddress?: number;
	/** The largest message, in bytes; a larger one closes the connection with 1009. Default 64 KiB, at most 1 GiB. */
	readonly messageBytes?: number;
	/** The greatest nesting depth of a message's JSON. Default 32, at most 1,000. */
	readonly messageDepth?: number;
	/**
	 * Messages per second from one socket. One second's worth may arrive at once; beyond that, typed messages are
	 * refused with `rate_limited`, and a client that continues is closed with 4429. Default 100.
	 */
	readonly messagesPerSecond?: number;
	/**
	 * Message bytes per second from one socket, limited like `messagesPerSecond`. Default 1 MiB or `messageBytes`,
	 * whichever is larger; at least `messageBytes`.
	 */
	readonly bytesPerSecond?: number;
	/** Messages of one socket that wait to be handled; beyond that, reading from the socket is paused. Default 64. */
	readonly queuedMessages?: number;
	/**
	 * Bytes that wait to be sent to one socket; beyond that, it is closed with 1013, unless `slowReaders` is `drop`.
	 * Default 1 MiB, at most 1 GiB.
	 */
	readonly queuedBytes?: number;
	/** Topics that one socket can be subscribed to, by its client or through `ctx.subscribe`. Default 200. */
	readonly topicsPerSocket?: number;
	/**
	 * Unanswered requests per socket, in each direction; further ones are refused with `too_many_requests`. Default 100.
	 */
	readonly pendingRequests?: number;
	/**
	 * Time within which the guards of a new connection must pass, in milliseconds; after that, it is closed with 4408.
	 * Default 10,000.
	 */
	readonly guardTimeoutMs?: number;
	/**
	 * Time that the handling of one message may take, in milliseconds. After that, its request is answered with
	 * `timeout` and the next message is handled, even if the handler never finishes. Default 30,000.
	 */
	readonly handlerTimeoutMs?: number;
	/**
	 * Silence after which a connection is closed, in milliseconds. Clients are pinged before that, so only dead
	 * connections are affected. From 8,000 to 960,000; Bun measures it in steps of 4,000. Default 120,000.
	 */
	readonly idleTimeoutMs?: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
/** The longest delay of a timer, in milliseconds. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1;

/** All limits, with defaults for those that were not set. */
export type AllLimits = Readonly<Required<Omit<Limits, 'connectionsPerAddress'>>> & {
	/** If undefined, the default applies, to public addresses only. */
	readonly connectionsPerAddress: number | undefined;
};

/** The default of `connectionsPerAddress`. */
export const DEFAULT_PER_PUBLIC_ADDRESS = 1_000;

/** The range of each limit, and whether fractions are allowed. */
const RANGES: Record<keyof Limits, { readonly min: number; readonly max: number; readonly fractions?: true }> = {
	connections: { min: 1, max: Infinity },
	connectionsPerAddress: { min: 1, max: Infinity },
	messageBytes: { min: 1, max: GIB },
	messageDepth: { min: 1, max: 1_000 },
	messagesPerSecond: { min: 1, max: Infinity, fractions: true },
	bytesPerSecond: { min: 1, max: Infinity, fractions: true },
	queuedMessages: { min: 1, max: Infinity },
	queuedBytes: { min: 1, max: GIB },
	topicsPerSocket: { min: 0, max: Infinity },
	pendingRequests: { min: 1, max: Infinity },
	guardTimeoutMs: { min: 1, max: MAX_DELAY_MS, fractions: true },
	handlerTimeoutMs: { min: 1, max: MAX_DELAY_MS, fractions: true },
	// Bun does not close idle connections sooner.
	idleTimeoutMs: { min: 8_000, max: 960_000, fractions: true },
};

/** Validates limits. @throws {ApplicationError} a limit is unknown or out of range */
export function checkLimits(limits: unknown): void {
	if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
		throw new ApplicationError(`websocket(): limits must be an object, not ${show(limits)}`);
	}
	for (const [name, value] of Object.entries(limits)) {
		if (!Object.hasOwn(RANGES, name)) {
			throw new ApplicationError(
				`websocket(): there is no limit ${name}; limits are ${Object.keys(RANGES).join(', ')}`,
			);
		}
		const { min, max, fractions } = RANGES[name as keyof Limits];
		if (
			value === undefined ||
			(typeof value === 'number' && value >= min && value <= max && isAllowedFraction(value, fractions))
		) {
			continue;
		}
		const kind = fractions ? 'a number' : 'a whole number';
		throw new ApplicationError(`websocket(): limits.${name} must be ${kind} from ${min} to ${max}, not ${show(value)}`);
	}
	const { messageBytes, bytesPerSecond } = withDefaults(limits);
	if (bytesPerSecond >= messageBytes) return;
	throw new ApplicationError(
		`websocket(): limits.bytesPerSecond must be at least limits.messageBytes (${messageBytes}), not ${bytesPerSecond}: ` +
			'otherwise a single message could exceed the rate',
	);
}

function isAllowedFraction(value: number, fractions: true | undefined): boolean {
	return fractions === true || value === Infinity || Number.isInteger(value);
}

export function withDefaults(limits: Limits = {}): AllLimits {
	const messageBytes = limits.messageBytes ?? 64 * KIB;
	return {
		connections: limits.connections ?? 50_000,
		connectionsPerAddress: limits.connectionsPerAddress,
		messageBytes,
		messageDepth: limits.messageDepth ?? 32,
		messagesPerSecond: limits.messagesPerSecond ?? 100,
		bytesPerSecond: limits.bytesPerSecond ?? Math.max(MIB, messageBytes),
		queuedMessages: limits.queuedMessages ?? 64,
		queuedBytes: limits.queuedBytes ?? MIB,
		topicsPerSocket: limits.topicsPerSocket ?? 200,
		pendingRequests: limits.pendingRequests ?? 100,
		guardTimeoutMs: limits.guardTimeoutMs ?? 10_000,
		handlerTimeoutMs: limits.handlerTimeoutMs ?? 30_000,
		idleTimeoutMs: limits.idleTimeoutMs ?? 120_000,
	};
}
