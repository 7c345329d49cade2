/**
 * Converts a time of the monotonic clock (`performance.now()`) to milliseconds since the epoch, by this node's clock as
 * it is set now.
 */
export function wallTime(monotonic: number): number {
	return Date.now() - (performance.now() - monotonic);
}

/** Returns a time of the wall clock, in milliseconds since the epoch, by the monotonic clock. See {@link wallTime}. */
export function monotonicTime(wall: number): number {
	return performance.now() - (Date.now() - wall);
}
