import { describe, expect, it } from 'vitest';
import { Unpublished } from './unpublished.ts';

describe('what could not be published', () => {
	it('is kept by channel, one span each, until it is taken', () => {
		const unsent = new Unpublished();
		unsent.note('a', { since: 10, until: 20 });
		unsent.note('b', { since: 15, until: 16 });
		unsent.note('a', { since: 5, until: 12 });
		expect(unsent.isEmpty).toBe(false);
		expect(unsent.take()).toEqual({
			channels: new Map([
				['a', { since: 5, until: 20 }],
				['b', { since: 15, until: 16 }],
			]),
			everything: undefined,
		});
		expect(unsent.isEmpty).toBe(true);
	});

	it('is everything, in one span, above ten thousand channels', () => {
		const unsent = new Unpublished();
		for (let i = 0; i < 10_001; i++) unsent.note(`t${i}`, { since: 100 + i, until: 200 + i });
		unsent.note('one more', { since: 1, until: 2 });
		expect(unsent.take()).toEqual({ channels: new Map(), everything: { since: 1, until: 10_200 } });
	});
});
