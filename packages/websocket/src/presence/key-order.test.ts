import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareKeys } from './key-order.ts';

const anyKey = fc.string({
	unit: fc.constantFrom(
		'',
		'a',
		'b',
		'\u{7f}',
		'\u{80}',
		'\u{d7ff}',
		'\u{e000}',
		'\u{ffff}',
		'\u{10000}',
		'\u{10ffff}',
	),
	maxLength: 4,
});

it('keys are in the order of their bytes in UTF-8', () => {
	fc.assert(
		fc.property(anyKey, anyKey, (a, b) => {
			expect(Math.sign(compareKeys(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
		}),
		{ numRuns: 5_000 },
	);
});
