/** Controls, line separators, and the usual characters that are invisible or change the direction of text. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNPRINTABLE = /[\0-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u206f\ufeff]/g;

/**
 * Escapes characters that could start a new line, or hide or reorder text, in the form `\u{1b}`. Some engines that run
 * clients don't know character classes such as `\p{Cf}`; on the server, use `support/escape-text.ts`, which has all of
 * them.
 */
export function escapeText(text: string): string {
	return text.replace(UNPRINTABLE, (char) => `\\u{${char.charCodeAt(0).toString(16)}}`);
}

/**
 * Formats any value for an error message: short, printable and on one line. Never throws, whatever the value is. It
 * does not show the contents of objects, to keep the client's bundle small; on the server, use `support/show.ts`.
 */
export function show(value: unknown): string {
	if (typeof value === 'object' && value !== null) return '{…}';
	if (typeof value === 'function') return 'a function';
	const text = cut(String(value));
	if (typeof value !== 'string') return text;
	return escapeText(JSON.stringify(text)) + (text === value ? '' : ` (${value.length} characters)`);
}

/** Shortens a text that is too long. */
export function cut(text: string, longest = 64): string {
	return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
