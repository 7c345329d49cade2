import { ApplicationError } from './errors.ts';
import { show } from '@orijs/websocket/internal';

/** What one endpoint allows. Counts and rates take `Infinity` for no bound. */
export interface Limits {
	/** Connections of this process, those still in their upgrade included; more get 503. Default 50,000. */
	readonly connections?: number;
	/**
	 * Connections of one client address (of one /64 for IPv6), those still in their upgrade included; more get 429. Default 1,000
	 * for public addresses; private and loopback ones, which mostly are proxies, are bounded only if you say so.
	 */
	readonly connectionsPerAddress?: number;
	/** The largest message in bytes; a larger one ends the connection with 1009. Default 64 KiB, at most 1 GiB. */
	readonly messageBytes?: number;
	/** How deep the JSON of a message may be nested. Default 32, at most 1,000. */
	readonly messageDepth?: number;
	/**
	 * Messages per second and socket. A second's worth may come at once; beyond that a typed message is refused with `rate_limited`,
	 * and a client that goes on is closed with 4429. Default 100.
	 */
	readonly messagesPerSecond?: number;
	/** As `messagesPerSecond`, in bytes. Default 1 MiB, at least `messageBytes`. */
	readonly bytesPerSecond?: number;
	/** Messages of one socket that may wait for their turn; with more, no more is read from it until they are handled. Default 64. */
	readonly queuedMessages?: number;
	/** Bytes that may wait to be sent to one socket; with more it is closed with 1013, see `slowReaders`. Default 1 MiB, at most 1 GiB. */
	readonly queuedBytes?: number;
	/** Topics of one socket, as far as its client asks for them: `ctx.subscribe` and the client's own subscribing. Default 200. */
	readonly topicsPerSocket?: number;
	/** Requests of one socket that wait for an answer, each way; more are refused with `too_many_requests`. Default 100. */
	readonly pendingRequests?: number;
	/** How long a client may take from its connection to having passed the guards, in milliseconds; then 4408. Default 10,000. */
	readonly guardTimeoutMs?: number;
	/**
	 * How long a message's handler may take, in milliseconds; then its request is answered with `timeout` and the next message
	 * handled, whether or not the handler ever ends. Default 30,000.
	 */
	readonly handlerTimeoutMs?: number;
	/**
	 * How long a connection may be silent, in milliseconds; clients are pinged before, so that only dead ones are. 8,000 to 960,000, in
	 * steps of 4,000 as Bun counts them. Default 120,000.
	 */
	readonly idleTimeoutMs?: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;
/** The longest delay a timer can have, in milliseconds. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1;

/** All limits, with their defaults where nothing else was said. */
export type AllLimits = Readonly<Required<Omit<Limits, 'connectionsPerAddress'>>> & {
	/** Undefined: the default, which is for public addresses only. */
	readonly connectionsPerAddress: number | undefined;
};

export const DEFAULT_PER_PUBLIC_ADDRESS = 1_000;

/** What a limit may be: the smallest, the largest, and whether fractions are. */
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
	// Bun ends no connection sooner than that.
	idleTimeoutMs: { min: 8_000, max: 960_000, fractions: true },
};

/** @throws {ApplicationError} a limit is not known or can't work */
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
			(typeof value === 'number' && value >= min && value <= max && isFine(value, fractions))
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
			'otherwise one message alone would be too fast',
	);
}

function isFine(value: number, fractions: true | undefined): boolean {
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
