import { describe, expect, it } from 'vitest';
import { Unpublished } from './unpublished.ts';

describe('the record of what could not be published', () => {
	it('keeps one span per channel until it is taken', () => {
		const unpublished = new Unpublished();
		unpublished.add('a', { since: 10, until: 20 });
		unpublished.add('b', { since: 15, until: 16 });
		unpublished.add('a', { since: 5, until: 12 });
		expect(unpublished.isEmpty).toBe(false);
		expect(unpublished.take()).toEqual({
			channels: new Map([
				['a', { since: 5, until: 20 }],
				['b', { since: 15, until: 16 }],
			]),
			everything: undefined,
		});
		expect(unpublished.isEmpty).toBe(true);
	});

	it('keeps a span whose clock was set back before its end', () => {
		const unpublished = new Unpublished();
		unpublished.add('a', { since: 1_000, until: 400 });
		expect(unpublished.take().channels.get('a')).toEqual({ since: 400, until: 1_000 });
	});

	it('folds more than ten thousand channels into one span', () => {
		const unpublished = new Unpublished();
		for (let i = 0; i < 10_001; i++) unpublished.add(`t${i}`, { since: 100 + i, until: 200 + i });
		unpublished.add('one more', { since: 1, until: 2 });
		expect(unpublished.take()).toEqual({ channels: new Map(), everything: { since: 1, until: 10_200 } });
	});

	it('keeps the spans of stored messages when everything else is folded', () => {
		const unpublished = new Unpublished();
		unpublished.add('stored', { since: 10, until: 20, stored: true });
		unpublished.add('plain', { since: 1, until: 2 });
		unpublished.addAll({ since: 30, until: 40 });
		unpublished.add('plain', { since: 41, until: 42 });
		unpublished.add('stored too', { since: 43, until: 44, stored: true });
		expect(unpublished.take()).toEqual({
			channels: new Map([
				['stored', { since: 10, until: 20, stored: true }],
				['stored too', { since: 43, until: 44, stored: true }],
			]),
			everything: { since: 1, until: 42 },
		});
	});
});
