import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TopicPattern } from './topic-pattern.ts';

const matches = (pattern: string, topic: string): boolean => new TopicPattern(pattern).matches(topic);

it('matches each character literally, and * for any number of characters', () => {
	expect(matches('a.b', 'a.b')).toBe(true);
	expect(matches('a.b', 'axb')).toBe(false);
	expect(matches('chat:*', 'chat:')).toBe(true);
	expect(matches('a*a', 'a')).toBe(false);
	expect(matches('*', '')).toBe(true);
	expect(matches('a*b*b', 'ab')).toBe(false);
});

it('matches what the equivalent regular expression matches', () => {
	const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 8 });
	const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 6 });
	fc.assert(
		fc.property(pattern, text, (wanted, topic) => {
			const expression = new RegExp(`^${wanted.replace(/\*+/g, '.*')}$`);
			expect(matches(wanted, topic)).toBe(expression.test(topic));
		}),
		{ numRuns: 5_000 },
	);
});
