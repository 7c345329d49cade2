/** Cleans up the texts that visitors write. */

/** Removes control characters, lone surrogates, and surrounding white space. */
export function tidy(text: string): string {
	return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Cs}]/gu, '').trim();
}

/** Whether the text has any visible character. */
export function isVisible(text: string): boolean {
	return /[^\s\p{Z}\p{Cf}\p{M}]/u.test(text);
}
