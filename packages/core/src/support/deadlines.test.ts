import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Deadlines } from './deadlines.ts';

/** Creates deadlines that record which entries have expired, and how late this was reported, in milliseconds. */
function recorded(ms: number): {
	deadlines: Deadlines<string>;
	expired: Map<string, number>;
	add(entry: string): void;
} {
	const expired = new Map<string, number>();
	const added = new Map<string, number>();
	const deadlines = new Deadlines<string>(ms, (entry) => {
		if (expired.has(entry)) throw new Error(`${entry} expired twice`);
		expired.set(entry, performance.now() - (added.get(entry) ?? 0) - ms);
	});
	return {
		deadlines,
		expired,
		add(entry) {
			added.set(entry, performance.now());
			deadlines.add(entry);
		},
	};
}

describe('an entry', () => {
	it('expires once, and never early', async () => {
		const { expired, add } = recorded(30);
		for (const entry of ['a', 'b', 'c']) add(entry);
		await until(() => expired.size === 3, { what: 'all have expired' });

		expect([...expired.keys()]).toEqual(['a', 'b', 'c']);
		for (const late of expired.values()) expect(late).toBeGreaterThanOrEqual(0);
	});

	it('does not expire after it was deleted; the others do', async () => {
		const { deadlines, expired, add } = recorded(20);
		for (const entry of ['a', 'b', 'c']) add(entry);
		deadlines.delete('b');
		deadlines.delete('never added');
		await until(() => expired.size === 2, { what: 'the others have expired' });
		add('marker');
		await until(() => expired.has('marker'), { what: 'the marker has expired' });

		expect([...expired.keys()]).toEqual(['a', 'c', 'marker']);
	});

	it('expires by its own time, even if others were added earlier', async () => {
		const { expired, add } = recorded(60);
		add('first');
		await Bun.sleep(30);
		add('second');
		await until(() => expired.has('first'), { what: 'the first has expired' });
		expect(expired.has('second')).toBe(false);
		await until(() => expired.has('second'), { what: 'the second has expired' });

		expect(expired.get('second')).toBeGreaterThanOrEqual(0);
	});

	it('starts again when added after it was deleted', async () => {
		const { deadlines, expired, add } = recorded(40);
		add('a');
		await Bun.sleep(20);
		deadlines.delete('a');
		add('a');
		await until(() => expired.has('a'), { what: 'it has expired' });

		expect(expired.get('a')).toBeGreaterThanOrEqual(0);
	});

	it('can be added and deleted while others expire', async () => {
		const expired: string[] = [];
		const deadlines: Deadlines<string> = new Deadlines(10, (entry) => {
			expired.push(entry);
			if (entry === 'first') {
				deadlines.delete('second');
				deadlines.add('third');
			}
		});
		deadlines.add('first');
		deadlines.add('second');
		await until(() => expired.includes('third'), { what: 'the third has expired' });

		expect(expired).toEqual(['first', 'third']);
	});

	it('is deleted by clear(), after which others can be added', async () => {
		const { deadlines, expired, add } = recorded(15);
		add('a');
		add('b');
		deadlines.clear();
		deadlines.clear();
		add('c');
		await until(() => expired.size > 0, { what: 'one has expired' });

		expect([...expired.keys()]).toEqual(['c']);
	});

	it('shares one timer, however many are added while others expire', async () => {
		const live = countTimers(20);
		const rounds = new Map<string, number>();
		const deadlines: Deadlines<string> = new Deadlines(20, (entry) => {
			const round = (rounds.get(entry) ?? 0) + 1;
			rounds.set(entry, round);
			if (round < 5) deadlines.add(entry);
		});
		for (const entry of ['a', 'b', 'c']) deadlines.add(entry);
		await until(() => rounds.get('c') === 5, { what: 'each has expired five times' });

		expect(live.most).toBe(1);
	});

	it('expires by itself among many', async () => {
		const { deadlines, expired, add } = recorded(20);
		for (let i = 0; i < 10_000; i++) add(String(i));
		for (let i = 0; i < 10_000; i += 2) deadlines.delete(String(i));
		await until(() => expired.size === 5_000, { what: 'half of them have expired' });

		expect([...expired.keys()].every((entry) => Number(entry) % 2 === 1)).toBe(true);
	});
});

/** Counts the timers of up to `ms` milliseconds that exist at once; `most` is the maximum. */
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
