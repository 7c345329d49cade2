import { expect, it } from 'vitest';
import { escapeText, show } from './show.ts';

it.each<[unknown, string]>([
	['text', '"text"'],
	['"two"\nlines', String.raw`"\"two\"\nlines"`],
	['x'.repeat(64), `"${'x'.repeat(64)}"`],
	['x'.repeat(65), `"${'x'.repeat(64)}…" (65 characters)`],
	[7, '7'],
	[null, 'null'],
	[undefined, 'undefined'],
	[Symbol('s'), 'Symbol(s)'],
	[{ a: 1 }, '{…}'],
	[() => 1, 'a function'],
])('shows %j on one line, as %s', (value, shown) => {
	expect(show(value)).toBe(shown);
});

it.each([
	['an escape sequence', '\u001b[31m', String.raw`\u{1b}[31m`],
	['a line break', 'a\r\nb', String.raw`a\u{d}\u{a}b`],
	['DEL', '\u007f', String.raw`\u{7f}`],
	['C1 controls', '\u0080\u0085\u009b\u009f', String.raw`\u{80}\u{85}\u{9b}\u{9f}`],
	['bidirectional overrides', '\u202a\u202e\u202c', String.raw`\u{202a}\u{202e}\u{202c}`],
	['bidirectional isolates', '\u2066\u2067\u2068\u2069', String.raw`\u{2066}\u{2067}\u{2068}\u{2069}`],
	['bidirectional marks', '\u200e\u200f\u061c', String.raw`\u{200e}\u{200f}\u{61c}`],
	['line and paragraph separators', '\u2028\u2029', String.raw`\u{2028}\u{2029}`],
	['zero-width characters', '\u200b\u200c\u200d\u2060', String.raw`\u{200b}\u{200c}\u{200d}\u{2060}`],
	['a byte order mark', '\ufeff', String.raw`\u{feff}`],
	['nothing else', ' ~ é € ‘…’ 漢字 שלום 🙂', ' ~ é € ‘…’ 漢字 שלום 🙂'],
])('escapes %s', (_, text, escaped) => {
	expect(escapeText(text)).toBe(escaped);
	expect(show(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
});
