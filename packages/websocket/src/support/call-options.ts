import { InvalidOptionError, InvalidPositionError } from '../errors.ts';
import { isPosition } from '../protocol/position.ts';
import { show } from '../protocol/show.ts';

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

/** What is wrong with a `since` that is no position. */
export function sinceFault(since: unknown): InvalidPositionError {
	if (typeof since !== 'object' || since === null)
		return new InvalidPositionError(
			'since',
			since,
			'a position is { epoch, offset }, as a message, a page or client.positions has it',
		);
	const { epoch, offset } = since as { epoch?: unknown; offset?: unknown };
	if (isPosition({ epoch, offset: 0 }))
		return new InvalidPositionError('since.offset', offset, 'a whole number from 0');
	return new InvalidPositionError('since.epoch', epoch, 'text, as a message, a page or client.positions has it');
}
