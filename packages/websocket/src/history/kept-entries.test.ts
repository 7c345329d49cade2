import { expect, it } from 'vitest';
import type { HistoryBounds } from './history-store.ts';
import { KeptEntries } from './kept-entries.ts';

const bounds: HistoryBounds = { size: 100, bytes: 10_000, ttlMs: 1_000 };

it('takes no more memory after a hundred thousand entries than after a few', () => {
	const kept = new KeptEntries();
	for (let i = 1; i <= 100_000; i++) {
		kept.push({ offset: i, prev: i - 1, timestamp: i, content: 'x' }, 1);
		kept.trim(bounds, i);
		if (kept.slots > 2 * bounds.size + 1) expect.fail(`${kept.slots} slots for ${kept.count} entries`);
	}

	expect(kept.count).toBe(100);
	expect(kept.after(0, 1_000).map(({ offset }) => offset)).toEqual(Array.from({ length: 100 }, (_, i) => 99_901 + i));
	expect(kept.before(99_950, 2).map(({ offset }) => offset)).toEqual([99_948, 99_949]);
});

it('counts the bytes of its entries, also after all were removed', () => {
	const kept = new KeptEntries();
	const push = (offset: number, size: number, timestamp: number): void => {
		kept.push({ offset, prev: offset - 1, timestamp, content: '' }, size);
		kept.trim(bounds, timestamp);
	};
	push(1, 6_000, 0);
	push(2, 4_000, 0);
	expect(kept.count).toBe(2);
	push(3, 6_000, 0);
	expect(kept.after(0, 9).map(({ offset }) => offset)).toEqual([2, 3]);
	push(4, 6_000, 5_000);
	push(5, 4_000, 5_000);
	expect(kept.after(0, 9).map(({ offset }) => offset)).toEqual([4, 5]);
	kept.clear();
	push(6, 10_000, 5_000);
	expect(kept.count).toBe(1);
});

it('keeps an entry up to its maximum age, and no longer', () => {
	const kept = new KeptEntries();
	kept.push({ offset: 1, prev: 0, timestamp: 0, content: '' }, 0);
	kept.trim(bounds, 1_000);
	expect(kept.count).toBe(1);
	kept.trim(bounds, 1_001);
	expect([kept.count, kept.slots]).toEqual([0, 0]);
});
