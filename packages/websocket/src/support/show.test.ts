import { expect, it } from 'vitest';
import { show } from './show.ts';

it.each<[unknown, string]>([
	['text', '"text"'],
	['"two"\nlines', String.raw`"\"two\"\nlines"`],
	['x'.repeat(64), `"${'x'.repeat(64)}"`],
	['x'.repeat(65), `"${'x'.repeat(64)}…" (65 characters)`],
	[7, '7'],
	[-1.5, '-1.5'],
	[null, 'null'],
	[undefined, 'undefined'],
	[Symbol('s'), 'Symbol(s)'],
	[[1, 2], '[…]'],
	[{ a: 1 }, '{…}'],
	[Object.create(null), '{…}'],
	[new Map(), 'Map {…}'],
	[new Date(0), 'Date {…}'],
	[Error, 'a function'],
	[() => 1, 'a function'],
	[
		class Provider {
			start(): void {}
		},
		'class Provider',
	],
])('shows %j on one line, as %s', (value, shown) => {
	expect(show(value)).toBe(shown);
});

it.each<[string, object]>([
	[
		'a getter that throws',
		{
			get constructor(): never {
				throw new Error('hostile');
			},
		},
	],
	['a revoked proxy', revokedProxy()],
])('shows an object with %s as {…}', (_, value) => {
	expect(show(value)).toBe('{…}');
});

function revokedProxy(): object {
	const { proxy, revoke } = Proxy.revocable({}, {});
	revoke();
	return proxy;
}
