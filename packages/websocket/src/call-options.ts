import { InvalidOptionError } from './errors.ts';
import { show } from './protocol/show.ts';

/** What is wrong with the options of a call; undefined where nothing is. None at all are fine. @param keys those it knows */
export function optionsFault(call: string, options: unknown, keys: readonly string[]): InvalidOptionError | undefined {
	if (options === undefined) return undefined;
	if (typeof options !== 'object' || options === null || Array.isArray(options))
		return new InvalidOptionError(`${call} takes an object with ${keys.join(' or ')}, not ${show(options)}`);
	const unknown = Object.keys(options).find((key) => !keys.includes(key));
	return unknown === undefined
		? undefined
		: new InvalidOptionError(`${call} has no option ${unknown}, only ${keys.join(' and ')}`);
}
