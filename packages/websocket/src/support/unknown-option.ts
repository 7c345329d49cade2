import { show } from './show.ts';

/** The names of all options of a type. Code that leaves one out does not compile. */
export type OptionNames<TOptions> = Readonly<Record<keyof TOptions, true>>;

/**
 * Checks the options of `owner`. Returns what is wrong with them: they are not an object, or one of them is unknown.
 * Without this check, a mistyped name would be silently ignored.
 */
export function unknownOption(
	owner: string,
	options: unknown,
	known: Readonly<Record<string, true>>,
): string | undefined {
	if (typeof options !== 'object' || options === null || Array.isArray(options))
		// Text is not shown: it may be a URL with a password.
		return `${owner} takes an object of options, not ${typeof options === 'string' ? 'a string' : show(options)}`;
	const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
	if (unknown === undefined) return undefined;
	return `${owner} has no option ${show(unknown).slice(1, -1)}; options are ${Object.keys(known).join(', ')}`;
}
