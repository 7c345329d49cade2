/** A reading of a server's clock, with when it was asked for by the client's clocks. */
export interface ServerTime {
	/** By the server's clock, in milliseconds since the epoch. */
	readonly timestamp: number;
	/**
	 * When it was asked for, and so no later than it was read: by the monotonic clock, and by the one that can be set.
	 */
	readonly askedAt: LocalTime;
}

interface LocalTime {
	readonly monotonic: number;
	readonly wall: number;
}

/** Where it is not known how long ago it was. */
export const LONG_AGO: ServerTime = { timestamp: 0, askedAt: { monotonic: Infinity, wall: Infinity } };

export function localTime(): LocalTime {
	return { monotonic: performance.now(), wall: Date.now() };
}

/**
 * Returns the milliseconds since a reading was asked for. The monotonic clock may stand still while a device sleeps.
 */
export function elapsedSince({ askedAt }: ServerTime): number {
	return Math.max(performance.now() - askedAt.monotonic, Date.now() - askedAt.wall);
}
