import type { AnsweredAt } from '@orijs/websocket/protocol';

/** When a server answered a request: by its own clock and, or earlier, by the client's clocks. */
export interface ServerTime extends AnsweredAt {
	readonly askedAt: LocalTime;
}

/** A point in time by both of the client's clocks, in milliseconds. */
type LocalTime = readonly [monotonic: number, wall: number];

/** Stands for a time in the past if it is not known how long ago that was. */
export const LONG_AGO: ServerTime = { timestamp: 0, askedAt: [Infinity, Infinity] };

export function localTime(): LocalTime {
	return [performance.now(), Date.now()];
}

/**
 * Returns how long ago a request was sent, in milliseconds. Uses both clocks, because the monotonic clock may stand
 * still while a device sleeps.
 */
export function elapsedSince({ askedAt: [monotonic, wall] }: ServerTime): number {
	return Math.max(performance.now() - monotonic, Date.now() - wall);
}
