import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareKeys } from './key-order.ts';
import { SortedKeys } from './sorted-keys.ts';

it('pages are the same as of keys that are sorted each time', () => {
	const anyKey = fc.string({ unit: fc.constantFrom('a', 'b', '\u{e000}', '\u{1f600}'), maxLength: 3 });
	const anyStep = fc.record({ key: anyKey, isPage: fc.boolean(), limit: fc.integer({ min: 1, max: 5 }) });
	fc.assert(
		fc.property(fc.array(anyStep), (steps) => {
			const all = new Set<string>();
			const keys = new SortedKeys(() => all);
			for (const { key, isPage, limit } of steps) {
				if (isPage) {
					const expected = [...all].toSorted(compareKeys);
					expect(keys.page(undefined, limit)).toEqual(expected.slice(0, limit));
					const after = expected.filter((each) => compareKeys(each, key) > 0);
					expect(keys.page(key, limit)).toEqual(after.slice(0, limit));
				} else if (all.delete(key)) keys.removed(key);
				else {
					all.add(key);
					keys.added(key);
				}
			}
		}),
	);
});
