import { show } from '@orijs/websocket/internal';
import { ApplicationError } from '../errors.ts';

/**
 * Checks an object of options. Unknown options are errors, so that a mistyped name is not silently ignored.
 *
 * @throws {ApplicationError} an option is unknown, or `options` is not an object
 */
export function checkOptions(call: string, options: unknown, known: readonly string[]): void {
	if (typeof options !== 'object' || options === null || Array.isArray(options))
		throw new ApplicationError(`${call}: pass an object with ${known.join(', ')}, not ${show(options)}`);
	const unknown = Object.keys(options).find((name) => !known.includes(name));
	if (unknown !== undefined)
		throw new ApplicationError(`${call}: there is no option ${unknown}; options are ${known.join(', ')}`);
}
