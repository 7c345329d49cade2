import { InvalidOptionError } from '../errors.ts';

/** The longest delay a timer can have, in milliseconds. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Refuses what can't be a delay. @throws {InvalidOptionError} */
export function mustBeDelay(name: string, ms: number, least: number): void {
	if (typeof ms === 'number' && ms >= least && ms <= MAX_DELAY_MS) return;
	throw new InvalidOptionError(
		`${name} is a number of milliseconds from ${least} to ${MAX_DELAY_MS}, not ${String(ms)}`,
	);
}
