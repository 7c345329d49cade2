import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Deadlines } from './deadlines.ts';

/** Deadlines, and who missed theirs: by how much more than the time they had, in milliseconds. */
function watched(ms: number): { deadlines: Deadlines<string>; missed: Map<string, number>; add(entry: string): void } {
	const missed = new Map<string, number>();
	const begun = new Map<string, number>();
	const deadlines = new Deadlines<string>(ms, (entry) => {
		if (missed.has(entry)) throw new Error(`${entry} was told twice`);
		missed.set(entry, performance.now() - (begun.get(entry) ?? 0) - ms);
	});
	return {
		deadlines,
		missed,
		add(entry) {
			begun.set(entry, performance.now());
			deadlines.add(entry);
		},
	};
}

describe('a deadline', () => {
	it('that is missed is told of once, and never early', async () => {
		const { missed, add } = watched(30);
		for (const entry of ['a', 'b', 'c']) add(entry);
		await until(() => missed.size === 3, { what: 'all are told of' });

		expect([...missed.keys()]).toEqual(['a', 'b', 'c']);
		for (const late of missed.values()) expect(late).toBeGreaterThanOrEqual(0);
	});

	it('that is met is not told of, and those around it are', async () => {
		const { deadlines, missed, add } = watched(20);
		for (const entry of ['a', 'b', 'c']) add(entry);
		deadlines.delete('b');
		deadlines.delete('never there');
		await until(() => missed.size === 2, { what: 'the others are told of' });
		add('marker');
		await until(() => missed.has('marker'), { what: 'time has passed' });

		expect([...missed.keys()]).toEqual(['a', 'c', 'marker']);
	});

	it('counts from when it was set, also while others run', async () => {
		const { missed, add } = watched(60);
		add('first');
		await Bun.sleep(30);
		add('second');
		await until(() => missed.has('first'), { what: 'the first is told of' });
		expect(missed.has('second')).toBe(false);
		await until(() => missed.has('second'), { what: 'the second is told of' });

		expect(missed.get('second')).toBeGreaterThanOrEqual(0);
	});

	it('can be set again once it was met, and then counts anew', async () => {
		const { deadlines, missed, add } = watched(40);
		add('a');
		await Bun.sleep(20);
		deadlines.delete('a');
		add('a');
		await until(() => missed.has('a'), { what: 'it is told of' });

		expect(missed.get('a')).toBeGreaterThanOrEqual(0);
	});

	it('can be set and met while others are told of', async () => {
		const told: string[] = [];
		const deadlines: Deadlines<string> = new Deadlines(10, (entry) => {
			told.push(entry);
			if (entry === 'first') {
				deadlines.delete('second');
				deadlines.add('third');
			}
		});
		deadlines.add('first');
		deadlines.add('second');
		await until(() => told.includes('third'), { what: 'the third is told of' });

		expect(told).toEqual(['first', 'third']);
	});

	it('is forgotten by clear(), after which others can be set', async () => {
		const { deadlines, missed, add } = watched(15);
		add('a');
		add('b');
		deadlines.clear();
		deadlines.clear();
		add('c');
		await until(() => missed.size > 0, { what: 'one is told of' });

		expect([...missed.keys()]).toEqual(['c']);
	});

	it('needs one timer, however many are set again while others are told of', async () => {
		const live = countTimers(20);
		const rounds = new Map<string, number>();
		const deadlines: Deadlines<string> = new Deadlines(20, (entry) => {
			const round = (rounds.get(entry) ?? 0) + 1;
			rounds.set(entry, round);
			if (round < 5) deadlines.add(entry);
		});
		for (const entry of ['a', 'b', 'c']) deadlines.add(entry);
		await until(() => rounds.get('c') === 5, { what: 'each was told of five times' });

		expect(live.most).toBe(1);
	});

	it('of many is told of for each', async () => {
		const { deadlines, missed, add } = watched(20);
		for (let i = 0; i < 10_000; i++) add(String(i));
		for (let i = 0; i < 10_000; i += 2) deadlines.delete(String(i));
		await until(() => missed.size === 5_000, { what: 'half of them are told of' });

		expect([...missed.keys()].every((entry) => Number(entry) % 2 === 1)).toBe(true);
	});
});

/** Counts timers of up to so many milliseconds: how many there were at once at most. */
function countTimers(ms: number): { readonly most: number } {
	const counted = { most: 0 };
	let live = 0;
	const real = globalThis.setTimeout;
	const spy = vi.spyOn(globalThis, 'setTimeout');
	onTestFinished(() => spy.mockRestore());
	spy.mockImplementation(((callback: () => void, delay: number) => {
		if (delay > ms) return real(callback, delay);
		counted.most = Math.max(counted.most, ++live);
		return real(() => {
			live--;
			callback();
		}, delay);
	}) as typeof setTimeout);
	return counted;
}
