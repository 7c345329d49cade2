import { InvalidOptionError } from '../errors.ts';
import { show } from './show.ts';

/** Checks an option that is a number of nodes. @throws {InvalidOptionError} it is out of range */
export function mustBeNodeCount(name: string, count: number): void {
	if (count === Infinity || (Number.isSafeInteger(count) && count >= 1)) return;
	throw new InvalidOptionError(`${name} must be a whole number of nodes from 1, or Infinity, not ${show(count)}`);
}
