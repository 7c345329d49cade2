import { readFileSync } from 'node:fs';

/** The environment variable with the file of a {@link fakeClock}: how far it is ahead, in seconds. */
const CLOCK_FILE = 'FAKETIME_TIMESTAMP_FILE';

const ATTEMPTS = 1_000;

/**
 * The true time in milliseconds since the epoch, whatever this process's clock is set to: the monotonic clock, which
 * can't be set, from where the clock minus its offset was at the start.
 */
export function trueNow(): number {
	return base + performance.now();
}

const base = trueNowAtStart() - performance.now();

function trueNowAtStart(): number {
	const path = process.env[CLOCK_FILE];
	if (path === undefined) return Date.now();
	for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
		const before = readOffset(path);
		const now = Date.now();
		if (readOffset(path) === before) return now - before;
	}
	throw new Error(`the clock of ${path} is set all the time`);
}

/** Returns how far the clock is ahead of the true time, in milliseconds. */
function readOffset(path: string): number {
	return Math.round(Number(readFileSync(path, 'utf8')) * 1_000);
}
