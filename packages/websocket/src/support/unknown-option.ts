import { show } from '../protocol/show.ts';

/**
 * Checks the options of `owner`. Returns what is wrong with them: they are not an object, or one of them is unknown. A
 * mistyped name would otherwise be ignored silently.
 */
export function unknownOption(owner: string, options: unknown, known: readonly string[]): string | undefined {
	if (typeof options !== 'object' || options === null || Array.isArray(options))
		return `${owner} takes an object of options, not ${show(options)}`;
	const unknown = Object.keys(options).find((name) => !known.includes(name));
	return unknown === undefined
		? undefined
		: `${owner} has no option ${show(unknown).slice(1, -1)}; options are ${known.join(', ')}`;
}
