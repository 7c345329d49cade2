/** A reading of a server's clock, with the time at which the client requested it. */
export interface ServerTime {
	/** The server's time, in milliseconds since the epoch. */
	readonly timestamp: number;
	/** When the reading was requested, by the client's clocks. The server read its clock at this time or later. */
	readonly askedAt: LocalTime;
}

interface LocalTime {
	readonly monotonic: number;
	readonly wall: number;
}

/** Stands for a time at an unknown distance in the past. */
export const LONG_AGO: ServerTime = { timestamp: 0, askedAt: { monotonic: Infinity, wall: Infinity } };

export function localTime(): LocalTime {
	return { monotonic: performance.now(), wall: Date.now() };
}

/**
 * Returns how long ago a reading was requested, in milliseconds. Uses both clocks, because the monotonic clock may
 * stand still while a device sleeps.
 */
export function elapsedSince({ askedAt }: ServerTime): number {
	return Math.max(performance.now() - askedAt.monotonic, Date.now() - askedAt.wall);
}
