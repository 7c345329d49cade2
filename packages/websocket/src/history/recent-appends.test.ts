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

it('forgets a topic after a minute, but not the last hundred', () => {
	const recent = new RecentAppends();
	for (let i = 0; i < 150; i++) recent.add(`t:${i}`, i);
	expect(recent.since(0)).toHaveLength(150);
	recent.add('late', 100_000);
	expect(recent.since(50)).toBe('all');
	expect(recent.since(51)).toHaveLength(100);
});

it('says "all" for a time that more topics were appended to since than it remembers', () => {
	const recent = new RecentAppends();
	for (let i = 0; i <= 10_000; i++) recent.add(`t:${i}`, i);
	expect(recent.since(0)).toBe('all');
	expect(recent.since(1)).toHaveLength(10_000);
});

it('knows where the last message before a time was stored, although one was stored since', () => {
	const recent = new RecentAppends();
	const before = (time: number) =>
		Array.from(recent.storedBefore(time), ([topic, { position }]) => [topic, position.offset]);
	recent.stored('a', { position: { epoch: 'e', offset: 1 }, sentAt: 5 });
	recent.add('a', 10);
	expect(before(10)).toEqual([]);
	for (const [offset, sentAt] of [
		[1, 10],
		[2, 20],
		[3, 30],
	] as const)
		recent.stored('a', { position: { epoch: 'e', offset }, sentAt });
	expect([30, 29, 20, 19].map(before)).toEqual([[['a', 3]], [['a', 2]], [['a', 2]], []]);
});
