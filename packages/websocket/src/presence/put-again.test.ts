import { expect, it } from 'vitest';
import { RULE } from '../test-support/own-presence-fixture.ts';
import { OwnTopic } from './own-member.ts';
import { PutAgain } from './put-again.ts';

const topics = Array.from({ length: 10 }, (_, i) => new OwnTopic(`t${i}`, RULE));

function open() {
	const again = new PutAgain(() => topics.values());
	const next = (count: number): string[] => {
		const found: string[] = [];
		again.next(count, ({ name }) => found.push(name));
		return found;
	};
	return { again, next };
}

it('finds the topics that are affected, a few at a time', () => {
	const { again, next } = open();
	expect(again.isPending).toBe(false);
	again.some((topic) => topic > 't6');
	expect(again.isPending).toBe(true);
	expect(next(4)).toEqual([]);
	expect(next(4)).toEqual(['t7']);
	expect(next(4)).toEqual(['t8', 't9']);
	expect(again.isPending).toBe(false);
});

it('goes through all topics again for what happens meanwhile, once for all of it', () => {
	const { again, next } = open();
	again.some((topic) => topic === 't1');
	next(5);
	again.some((topic) => topic === 't0');
	again.some((topic) => topic === 't3');
	expect(next(6)).toEqual([]);
	expect(next(11)).toEqual(['t0', 't3']);
	expect(again.isPending).toBe(false);
});

it('begins again if all topics are affected', () => {
	const { again, next } = open();
	again.all();
	expect(next(5)).toHaveLength(5);
	again.all();
	again.some(() => false);
	expect(next(11)).toHaveLength(10);
	expect(again.isPending).toBe(false);
});

it('looks at each topic once, however often something is lost', () => {
	const { again, next } = open();
	for (let i = 0; i < 1_000; i++) again.some((topic) => topic === `t${i}`);
	expect(next(11)).toHaveLength(10);
	expect(again.isPending).toBe(false);
});
