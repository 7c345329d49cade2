import { expect, it } from 'vitest';
import { show } from './show.ts';

it.each<[unknown, string]>([
	['text', '"text"'],
	['"two"\nlines', String.raw`"\"two\"\nlines"`],
	['x'.repeat(65), `"${'x'.repeat(64)}…"`],
	[-1.5, '-1.5'],
	[null, 'null'],
	[undefined, 'undefined'],
	[Symbol('s'), 'Symbol(s)'],
	[[1, 2], '[…]'],
	[{ a: 1 }, '{…}'],
	[Object.create(null), '{…}'],
	[new Map(), 'Map {…}'],
	[Error, 'a function'],
	[
		class Provider {
			start(): void {}
		},
		'class Provider',
	],
])('shows %j on one line, as %s', (value, shown) => {
	expect(show(value)).toBe(shown);
});
