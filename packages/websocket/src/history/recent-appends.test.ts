import { expect, it } from 'vitest';
import { RecentAppends } from './recent-appends.ts';

it('names the topics that were appended to since a time', () => {
	const recent = new RecentAppends();
	for (const [topic, at] of [
		['a', 1_000],
		['b', 2_000],
		['c', 3_000],
		['a', 4_000],
	] as const)
		recent.add(topic, at);
	expect(recent.since(2_000)).toEqual(['b', 'c', 'a']);
	expect(recent.since(3_500)).toEqual(['a']);
	expect(recent.since(4_001)).toEqual([]);
});

it('forgets a topic after a minute', () => {
	const recent = new RecentAppends();
	recent.add('a', 0);
	recent.add('b', 60_001);
	expect(recent.since(0)).toBe('all');
	expect(recent.since(1)).toEqual(['b']);
});

it('says "all" for a time that more topics were appended to since than it remembers', () => {
	const recent = new RecentAppends();
	for (let i = 0; i <= 10_000; i++) recent.add(`t:${i}`, i);
	expect(recent.since(0)).toBe('all');
	expect(recent.since(1)).toHaveLength(10_000);
});
