/**
 * The clock of the counting process, for a node whose own clock differs and may be set: it goes on by the monotonic
 * clock, which can't be set.
 *
 * @param offsetMs how far the node's clock is ahead now, in milliseconds
 */
export function referenceClock(offsetMs: number): () => number {
	const base = Date.now() - offsetMs - performance.now();
	return () => base + performance.now();
}
