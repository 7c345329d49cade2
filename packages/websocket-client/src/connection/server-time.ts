import type { AnsweredAt } from '@orijs/websocket/protocol';

/** The time up to which a server had sent everything, by its own clock and by the client's clocks. */
export interface ServerTime {
	/** The server's time, in milliseconds since the epoch. */
	readonly timestamp: number;
	/** The same time by the client's clocks, or earlier. */
	readonly at: LocalTime;
	/** The most that the clock of another server is behind this server's, in milliseconds. */
	readonly behindMs: number;
	/** The most that the clock of another server is ahead of this server's, in milliseconds. */
	readonly aheadMs: number;
}

export interface LocalTime {
	readonly monotonic: number;
	readonly wall: number;
}

/** Stands for a time at an unknown distance in the past. */
export const LONG_AGO: ServerTime = {
	timestamp: 0,
	at: { monotonic: Infinity, wall: Infinity },
	behindMs: 0,
	aheadMs: 0,
};

export function localTime(): LocalTime {
	return { monotonic: performance.now(), wall: Date.now() };
}

/** Returns the time up to which the server had sent everything when it answered a request of the given time. */
export function serverTime(
	{ timestamp, lagMs = 0, behindMs = 0, aheadMs = 0 }: AnsweredAt,
	{ monotonic, wall }: LocalTime,
): ServerTime {
	const at = { monotonic: monotonic - lagMs, wall: wall - lagMs };
	return { timestamp: timestamp - lagMs, at, behindMs, aheadMs };
}

/**
 * Returns how long ago a time was, in milliseconds. Uses both clocks, because the monotonic clock may stand still while
 * a device sleeps.
 */
export function elapsedSince({ at }: ServerTime): number {
	return Math.max(performance.now() - at.monotonic, Date.now() - at.wall);
}
