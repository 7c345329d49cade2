import type { AnsweredAt } from '@orijs/websocket/protocol';

/** A time up to which a server had sent everything: by its clock, and by the clocks of the client. */
export interface ServerTime {
	/** By the server's clock, in milliseconds since the epoch. */
	readonly timestamp: number;
	/** By the client's clocks, and no later: by the monotonic one, and by the one that can be set. */
	readonly at: LocalTime;
	/** By how much the clocks of other servers are behind that server's at most, and ahead of it, in milliseconds. */
	readonly behindMs: number;
	readonly aheadMs: number;
}

export interface LocalTime {
	readonly monotonic: number;
	readonly wall: number;
}

/** Where it is not known how long ago it was. */
export const LONG_AGO: ServerTime = {
	timestamp: 0,
	at: { monotonic: Infinity, wall: Infinity },
	behindMs: 0,
	aheadMs: 0,
};

export function localTime(): LocalTime {
	return { monotonic: performance.now(), wall: Date.now() };
}

/** Returns the time up to which the server had sent everything when it answered. @param askedAt when it was asked */
export function serverTime(
	{ timestamp, lagMs = 0, behindMs = 0, aheadMs = 0 }: AnsweredAt,
	{ monotonic, wall }: LocalTime,
): ServerTime {
	const at = { monotonic: monotonic - lagMs, wall: wall - lagMs };
	return { timestamp: timestamp - lagMs, at, behindMs, aheadMs };
}

/** Returns the milliseconds since then. The monotonic clock may stand still while a device sleeps. */
export function elapsedSince({ at }: ServerTime): number {
	return Math.max(performance.now() - at.monotonic, Date.now() - at.wall);
}
