import { describe, expect, it } from 'vitest';
import { settledWithin, within } from './promises.ts';

const never = (): Promise<never> => new Promise(() => {});

async function elapsedMs(promise: Promise<void>): Promise<number> {
	const start = performance.now();
	await promise;
	return performance.now() - start;
}

describe('settledWithin', () => {
	it.each<[string, number, () => Promise<unknown> | undefined]>([
		['the promise is fulfilled', 60_000, () => Promise.resolve(1)],
		['the promise is rejected', 60_000, () => Promise.reject(new Error('ignored'))],
		['there is no promise', 60_000, () => undefined],
		['there is no time left', 0, never],
		['the time left is negative', -60_000, never],
	])('resolves immediately if %s', async (_, ms, promise) => {
		expect(await elapsedMs(settledWithin(ms, promise()))).toBeLessThan(1_000);
	});

	it('resolves when the time is over', async () => {
		expect(await elapsedMs(settledWithin(30, never()))).toBeGreaterThanOrEqual(29);
	});
});

describe('within', () => {
	const late = (): Error => new Error('late');

	it('settles like a promise that settles in time', async () => {
		expect(await within(60_000, Promise.resolve(7), late)).toBe(7);
		await expect(within(60_000, Promise.reject(new Error('early')), late)).rejects.toThrow('early');
	});

	it.each([false, true])('rejects when the time is over, with unref: %s', async (unref) => {
		await expect(within(10, never(), late, { unref })).rejects.toThrow('late');
	});
});
