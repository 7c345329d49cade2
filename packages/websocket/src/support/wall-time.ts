/**
 * Returns a time of the monotonic clock (`performance.now()`) in milliseconds since the epoch: as long ago by the clock
 * as it is set now.
 */
export function wallTime(monotonic: number): number {
	return Date.now() - (performance.now() - monotonic);
}
