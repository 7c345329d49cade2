/** Controls, line separators, and formatting characters, which are invisible or change the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Escapes characters that could start a new line, hide or reorder text, or control a terminal, in the form `\u{1b}`.
 */
export function escapeText(text: string): string {
	return text.replace(UNPRINTABLE, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
