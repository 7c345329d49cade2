import { InvalidOptionError } from '../errors.ts';
import { show } from './show.ts';

/** The longest delay that a timer accepts, in milliseconds. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** Checks an option that is a delay. @throws {InvalidOptionError} it is out of range */
export function mustBeDelay(name: string, ms: number, least: number, most: number = MAX_DELAY_MS): void {
	if (typeof ms === 'number' && ms >= least && ms <= most) return;
	throw new InvalidOptionError(`${name} must be a number of milliseconds from ${least} to ${most}, not ${show(ms)}`);
}
