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

it('knows where the last message before a time was stored, although one was stored since', () => {
	const recent = new RecentAppends();
	const positionOf = (time: number) => recent.lastStored('a', time)?.offset;
	recent.stored('a', { position: { epoch: 'e', offset: 1 }, sentAt: 5 });
	expect(positionOf(10)).toBeUndefined();
	recent.add('a', 10);
	expect(positionOf(10)).toBeUndefined();
	for (const [offset, sentAt] of [
		[1, 10],
		[2, 20],
		[3, 30],
	] as const)
		recent.stored('a', { position: { epoch: 'e', offset }, sentAt });
	expect([positionOf(30), positionOf(29), positionOf(20), positionOf(19)]).toEqual([3, 2, 2, undefined]);
	recent.add('b', 60_011);
	expect(positionOf(30)).toBeUndefined();
});
