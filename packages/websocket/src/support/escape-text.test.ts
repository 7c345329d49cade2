import { expect, it } from 'vitest';
import { escapeText } from './escape-text.ts';

it.each([
	['controls', '\0\t\r\n\u001b\u007f\u0085\u009b', String.raw`\u{0}\u{9}\u{d}\u{a}\u{1b}\u{7f}\u{85}\u{9b}`],
	['bidirectional marks and overrides', '\u061c\u200f\u202e', String.raw`\u{61c}\u{200f}\u{202e}`],
	['bidirectional isolates', '\u2066\u2069', String.raw`\u{2066}\u{2069}`],
	['line and paragraph separators', '\u2028\u2029', String.raw`\u{2028}\u{2029}`],
	['invisible characters', '\u00ad\u200b\u2060\ufeff', String.raw`\u{ad}\u{200b}\u{2060}\u{feff}`],
	['invisible tags', '\u{e0041}', String.raw`\u{e0041}`],
	['nothing else', ' ~ é € ‘…’ 漢字 שלום 🙂', ' ~ é € ‘…’ 漢字 שלום 🙂'],
])('escapes %s', (_, text, escaped) => {
	expect(escapeText(text)).toBe(escaped);
});
