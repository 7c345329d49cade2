/**
 * The length of a slice, in milliseconds: short enough to resemble a slow network, but long enough for timers to keep
 * the rate.
 */
const SLICE_MS = 20;
/** The most lateness of a timer that is made up for, in milliseconds. More would cause a burst. */
const CATCH_UP_MS = 100;

/** Limits the rate of a stream of bytes. */
export interface Throttle {
	/** Returns how many bytes may be sent now, which can be 0. */
	allowed(): number;
	spend(bytes: number): void;
	/** Returns the time until `allowed` returns more than 0, in milliseconds. */
	wait(): number;
}

export function createThrottle(bytesPerSecond: number): Throttle {
	if (!(bytesPerSecond > 0)) throw new RangeError(`a rate must be more than 0 bytes per second, not ${bytesPerSecond}`);
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
