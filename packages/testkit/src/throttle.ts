/** Slices short enough to look like a slow line and long enough for timers to keep the rate. */
const SLICE_MS = 20;
/** What a late timer may catch up; more would be a burst. */
const CATCH_UP_MS = 100;

/** A rate limit: how much may go now, and when the next may. */
export interface Throttle {
	/** Bytes that may go now; 0 before its time has come. */
	allowed(): number;
	spend(bytes: number): void;
	/** Milliseconds until `allowed` gives something again. */
	wait(): number;
}

export function createThrottle(bytesPerSecond: number): Throttle {
	if (!(bytesPerSecond > 0)) throw new RangeError(`a rate is more than 0 bytes per second, not ${bytesPerSecond}`);
	const slice = Math.max(1, Math.floor((bytesPerSecond * SLICE_MS) / 1000));
	let next = 0;
	return {
		allowed: () => (performance.now() >= next ? slice : 0),
		spend(bytes) {
			next = Math.max(next, performance.now() - CATCH_UP_MS) + (bytes / bytesPerSecond) * 1000;
		},
		wait: () => Math.max(0, next - performance.now()),
	};
}
