import { readFileSync } from 'node:fs';

/** The environment variable with the file of a {@link fakeClock}: how far it is ahead, in seconds. */
const CLOCK_FILE = 'FAKETIME_TIMESTAMP_FILE';

const ATTEMPTS = 1_000;
/** The two clocks are read within this time of each other, in milliseconds. */
const LONGEST_READING_MS = 1;

/**
 * The true time in milliseconds since the epoch, whatever this process's clock is set to: the monotonic clock, which
 * can't be set, from where the clock minus its offset was at the start.
 */
export function trueNow(): number {
	return base + performance.now();
}

const base = baseAtStart();

/** Returns the true time at which the monotonic clock was 0. */
function baseAtStart(): number {
	const path = process.env[CLOCK_FILE];
	const offset = (): number => (path === undefined ? 0 : readOffset(path));
	for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
		const offsetMs = offset();
		const before = performance.now();
		const now = Date.now();
		const after = performance.now();
		// Otherwise the clock was set meanwhile, or the process had to wait for the processor.
		if (offset() === offsetMs && after - before < LONGEST_READING_MS) return now - offsetMs - before;
	}
	throw new Error(`neither the clock nor the processor holds still${path === undefined ? '' : `: ${path}`}`);
}

/** Returns how far the clock is ahead of the true time, in milliseconds. */
function readOffset(path: string): number {
	return Math.round(Number(readFileSync(path, 'utf8')) * 1_000);
}
