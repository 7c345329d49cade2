import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KeepAlive } from './keep-alive.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function startKeepAlive(ping: () => Promise<void>): {
	keepAlive: KeepAlive;
	pings: () => number;
	deaths: () => number;
} {
	let [pings, deaths] = [0, 0];
	const keepAlive = new KeepAlive(
		{ intervalMs: 1_000, timeoutMs: 300 },
		{
			ping() {
				pings++;
				return ping();
			},
			dead: () => void deaths++,
		},
	);
	keepAlive.start();
	return { keepAlive, pings: () => pings, deaths: () => deaths };
}

it('accepts an answered or refused ping as a sign of life', async () => {
	for (const answer of [() => Promise.resolve(), () => Promise.reject(new Error('refused'))]) {
		const { keepAlive, pings, deaths } = startKeepAlive(answer);
		await vi.advanceTimersByTimeAsync(10_000);
		expect([pings(), deaths()]).toEqual([10, 0]);
		keepAlive.stop();
	}
});

it('reports a dead server when a ping times out, and not before', async () => {
	const { keepAlive, deaths } = startKeepAlive(() => new Promise(() => {}));
	await vi.advanceTimersByTimeAsync(1_299);
	expect(deaths()).toBe(0);
	await vi.advanceTimersByTimeAsync(1);
	expect(deaths()).toBe(1);
	keepAlive.stop();
});

it('pings again after the device slept, before it reports a dead server', async () => {
	const { keepAlive, pings, deaths } = startKeepAlive(() => new Promise(() => {}));
	await vi.advanceTimersByTimeAsync(1_000);
	// As during sleep, the clock advances while no timer fires.
	vi.setSystemTime(Date.now() + 60_000);
	await vi.advanceTimersByTimeAsync(300);
	expect([pings(), deaths()]).toEqual([2, 0]);
	await vi.advanceTimersByTimeAsync(300);
	expect(deaths()).toBe(1);
	keepAlive.stop();
});

it('sends no ping while one is pending, and leaves no timer after stop()', async () => {
	const { keepAlive, pings } = startKeepAlive(() => new Promise(() => {}));
	keepAlive.beat();
	keepAlive.beat();
	expect(pings()).toBe(1);
	keepAlive.stop();
	keepAlive.beat();
	await vi.advanceTimersByTimeAsync(10_000);
	expect([pings(), vi.getTimerCount()]).toEqual([1, 0]);
});
