import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TopicPattern } from './topic-pattern.ts';

const fits = (pattern: string, topic: string): boolean => new TopicPattern(pattern).fits(topic);

it('has each character stand for itself, and * for any', () => {
	expect(fits('a.b', 'a.b')).toBe(true);
	expect(fits('a.b', 'axb')).toBe(false);
	expect(fits('chat:*', 'chat:')).toBe(true);
	expect(fits('a*a', 'a')).toBe(false);
	expect(fits('*', '')).toBe(true);
	expect(fits('a*b*b', 'ab')).toBe(false);
});

it('is what a regular expression says', () => {
	const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
	const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
	fc.assert(
		fc.property(pattern, text, (wanted, topic) => {
			const expression = new RegExp(`^${wanted.replace(/\*+/g, '.*')}$`);
			expect(fits(wanted, topic)).toBe(expression.test(topic));
		}),
		{ numRuns: 5_000 },
	);
});
