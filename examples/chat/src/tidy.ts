/** What strangers write, made fit to be shown. */

/** Without control characters, half surrogate pairs and outer blanks. */
export function tidy(text: string): string {
	return text.replaceAll(/(?![\n\t])[\p{Cc}\p{Cs}]/gu, '').trim();
}

/** Whether there is more than blanks and characters that only steer their neighbours. */
export function isVisible(text: string): boolean {
	return /[^\s\p{Z}\p{Cf}\p{M}]/u.test(text);
}
