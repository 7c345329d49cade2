/**
 * Converts a time of the monotonic clock (`performance.now()`) to milliseconds since the epoch, by this node's clock as
 * it is set now.
 */
export function wallTime(monotonic: number): number {
	return Date.now() - (performance.now() - monotonic);
}
