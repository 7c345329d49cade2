import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Expiries } from './expiries.ts';

/** Creates expiries that record which items have expired, and when. */
function recorded(): { expiries: Expiries<string>; expired: [item: string, at: number][] } {
	const expired: [string, number][] = [];
	const expiries = new Expiries<string>((item) => expired.push([item, performance.now()]));
	onTestFinished(() => expiries.clear());
	return { expiries, expired };
}

describe('an item', () => {
	it('expires once, never early, and less than a second late', async () => {
		const { expiries, expired } = recorded();
		const due = new Map([
			['c', 600],
			['a', 0],
			['b', 320],
		]);
		const start = performance.now();
		for (const [item, inMs] of due) expiries.set(item, inMs);
		await until(() => expired.length === due.size, { what: 'all have expired' });

		expect(expired.map(([item]) => item)).toEqual(['a', 'b', 'c']);
		for (const [item, at] of expired) {
			const late = at - start - (due.get(item) ?? 0);
			expect(late).toBeGreaterThanOrEqual(0);
			expect(late).toBeLessThan(1_000);
		}
	});

	it('does not expire after it was deleted, or before the time that it was set to last', async () => {
		const { expiries, expired } = recorded();
		for (const item of ['deleted', 'prolonged', 'shortened', 'kept']) expiries.set(item, 300);
		expiries.delete('deleted');
		expiries.set('prolonged', 1e9);
		expiries.set('shortened', 1);
		await until(() => expired.length === 2, { what: 'two have expired' });

		expect(expired.map(([item]) => item)).toEqual(['shortened', 'kept']);
		expiries.set('last', 0);
		await until(() => expired.length === 3, { what: 'another expires' });
		expect(expired.at(-1)?.[0]).toBe('last');
	});

	it('may be centuries away, or never', async () => {
		const { expiries, expired } = recorded();
		for (const inMs of [2 ** 31, 2 ** 53, Infinity]) expiries.set(`in ${inMs}`, inMs);
		expiries.set('now', -1);
		await until(() => expired.length > 0, { what: 'the first expires' });
		expect(expired.map(([item]) => item)).toEqual(['now']);
	});

	it('can be set again, and others deleted, when it expires', async () => {
		let count = 0;
		const expiries: Expiries<string> = new Expiries((item) => {
			count++;
			expiries.delete('other');
			if (item === 'again' && count < 3) expiries.set('again', 0);
		});
		expiries.set('again', 0);
		expiries.set('other', 0);
		await until(() => count === 3, { what: 'it has expired three times' });
	});
});

it('all are deleted by clear(), after which it can be used again', async () => {
	const { expiries, expired } = recorded();
	for (const item of ['a', 'b']) expiries.set(item, 0);
	expiries.clear();
	expiries.set('c', 0);
	await until(() => expired.length > 0, { what: 'the new one expires' });
	expect(expired.map(([item]) => item)).toEqual(['c']);
});

it('after the process hung, what arrived meanwhile is read before anything expires', async () => {
	const { expiries, expired } = recorded();
	expiries.set('prolonged', 500);
	expiries.set('left', 500);
	Bun.sleepSync(2_000);
	// As a message that had waited in the socket would.
	setTimeout(() => expiries.set('prolonged', 1e6), 20);
	await until(() => expired.length > 0, { what: 'the other expires' });
	expect(expired.map(([item]) => item)).toEqual(['left']);
});
