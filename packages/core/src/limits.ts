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
	 * with 429. Default 1,000 for public addresses. Private and loopback addresses, which usually belong to proxies, are
	 * limited only if this is set.
	 */
	readonly connectionsPerAddress?: number;
	/** The largest message, in bytes; a larger one closes the connection with 1009. Default 64 KiB, at most 1 GiB. */
	readonly messageBytes?: number;
	/** The greatest nesting depth of a message's JSON. Default 32, at most 1,000. */
	readonly messageDepth?: number;
	/**
	 * Messages per second from one socket. A burst may contain one second's worth. Beyond that, typed messages are
	 * refused with `rate_limited`, and a client that continues is closed with 4429. Default 100.
	 */
	readonly messagesPerSecond?: number;
	/**
	 * Message bytes per second from one socket, limited like `messagesPerSecond`. Must be at least `messageBytes`.
	 * Default 1 MiB, or `messageBytes` if that is larger.
	 */
	readonly bytesPerSecond?: number;
	/** Messages of one socket that wait to be handled; beyond that, reading from the socket is paused. Default 64. */
	readonly queuedMessages?: number;
	/**
	 * Memory that those messages take, in bytes: a character counts twice if its message is not all ASCII. Limited like
	 * `queuedMessages`; the message that reaches the limit is still queued. Default 256 KiB, or `messageBytes` if that
	 * is larger; at most 1 GiB.
	 */
	readonly queuedMessageBytes?: number;
	/**
	 * Bytes that wait to be sent to one socket; beyond that, the socket is closed with 1013, unless `slowReaders` is
	 * `drop`. Default 1 MiB, at most 1 GiB.
	 */
	readonly queuedBytes?: number;
	/** Topics that one socket can be subscribed to, by its client or by the server. Default 200. */
	readonly topicsPerSocket?: number;
	/**
	 * Unanswered requests per socket, in each direction; further ones are refused with `too_many_requests`. Default 100.
	 */
	readonly pendingRequests?: number;
	/**
	 * Time within which the guards of a new connection must pass, in milliseconds; otherwise the connection is closed
	 * with 4408. If a router has `authenticate`, that includes the time until the client's first message. It is also the
	 * time for which a client waits for `open`, and that within which guards must decide on a renewal. Default 10,000.
	 */
	readonly guardTimeoutMs?: number;
	/**
	 * Time that the handling of one message may take, in milliseconds. After that, a typed message is answered with
	 * `timeout`, and the next message is handled even if the handler never finishes. Default 30,000.
	 */
	readonly handlerTimeoutMs?: number;
	/**
	 * Time without a sign of life (a message, a ping or a pong) after which a connection is cut, in milliseconds.
	 * Clients answer pings by themselves, so this cuts only dead connections, and messages that take longer than this to
	 * arrive. From 8,000 to 960,000. Default 120,000.
	 */
	readonly idleTimeoutMs?: number;
	/**
	 * Interval at which each client is pinged, in milliseconds. Pings keep connections open through proxies, most of
	 * which close silent ones after 60 s. From 1,000 to half of `idleTimeoutMs`. Default 25,000, or half of
	 * `idleTimeoutMs` if that is less.
	 */
	readonly pingIntervalMs?: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
/** The longest delay of a timer, in milliseconds. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1;

/** All limits, with defaults for those that were not set. */
export type AllLimits = Readonly<Required<Omit<Limits, 'connectionsPerAddress'>>> & {
	/** If undefined, public addresses have the default limit, and other addresses have no limit. */
	readonly connectionsPerAddress: number | undefined;
};

/** The default of `connectionsPerAddress` for public addresses. */
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
	queuedMessageBytes: { min: 1, max: GIB },
	queuedBytes: { min: 1, max: GIB },
	topicsPerSocket: { min: 0, max: Infinity },
	pendingRequests: { min: 1, max: Infinity },
	guardTimeoutMs: { min: 1, max: MAX_DELAY_MS, fractions: true },
	handlerTimeoutMs: { min: 1, max: MAX_DELAY_MS, fractions: true },
	idleTimeoutMs: { min: 8_000, max: 960_000, fractions: true },
	pingIntervalMs: { min: 1_000, max: 480_000, fractions: true },
};

/** Validates limits. @throws {ApplicationError} a limit is unknown or out of range */
export function checkLimits(limits: unknown): void {
	if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
		throw new ApplicationError(`limits must be an object, not ${show(limits)}`);
	}
	for (const [name, value] of Object.entries(limits)) {
		if (!Object.hasOwn(RANGES, name)) {
			throw new ApplicationError(`there is no limit ${name}; limits are ${Object.keys(RANGES).join(', ')}`);
		}
		const { min, max, fractions } = RANGES[name as keyof Limits];
		if (
			value === undefined ||
			(typeof value === 'number' && value >= min && value <= max && isAllowedFraction(value, fractions))
		) {
			continue;
		}
		const kind = fractions ? 'a number' : 'a whole number';
		throw new ApplicationError(`limits.${name} must be ${kind} from ${min} to ${max}, not ${show(value)}`);
	}
	const { messageBytes, bytesPerSecond, idleTimeoutMs, pingIntervalMs } = withDefaults(limits);
	if (bytesPerSecond < messageBytes) {
		throw new ApplicationError(
			`limits.bytesPerSecond must be at least limits.messageBytes (${messageBytes}), not ${bytesPerSecond}: ` +
				'otherwise a single message could exceed the rate',
		);
	}
	if (pingIntervalMs <= idleTimeoutMs / 2) return;
	throw new ApplicationError(
		`limits.pingIntervalMs must be at most half of limits.idleTimeoutMs (${idleTimeoutMs}), ` +
			`not ${pingIntervalMs}: otherwise a client might have no time to answer`,
	);
}

function isAllowedFraction(value: number, fractions: true | undefined): boolean {
	return fractions === true || value === Infinity || Number.isInteger(value);
}

export function withDefaults(limits: Limits = {}): AllLimits {
	const messageBytes = limits.messageBytes ?? 64 * KIB;
	const idleTimeoutMs = limits.idleTimeoutMs ?? 120_000;
	return {
		connections: limits.connections ?? 50_000,
		connectionsPerAddress: limits.connectionsPerAddress,
		messageBytes,
		messageDepth: limits.messageDepth ?? 32,
		messagesPerSecond: limits.messagesPerSecond ?? 100,
		bytesPerSecond: limits.bytesPerSecond ?? Math.max(MIB, messageBytes),
		queuedMessages: limits.queuedMessages ?? 64,
		queuedMessageBytes: limits.queuedMessageBytes ?? Math.max(256 * KIB, messageBytes),
		queuedBytes: limits.queuedBytes ?? MIB,
		topicsPerSocket: limits.topicsPerSocket ?? 200,
		pendingRequests: limits.pendingRequests ?? 100,
		guardTimeoutMs: limits.guardTimeoutMs ?? 10_000,
		handlerTimeoutMs: limits.handlerTimeoutMs ?? 30_000,
		idleTimeoutMs,
		pingIntervalMs: limits.pingIntervalMs ?? Math.min(25_000, idleTimeoutMs / 2),
	};
}
