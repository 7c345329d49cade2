import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KeepAlive } from './keep-alive.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function beating(ping: () => Promise<void>): { heartbeat: KeepAlive; pings: () => number; deaths: () => number } {
	let [pings, deaths] = [0, 0];
	const heartbeat = new KeepAlive(
		{ intervalMs: 1_000, timeoutMs: 300 },
		{
			ping() {
				pings++;
				return ping();
			},
			dead: () => void deaths++,
		},
	);
	heartbeat.start();
	return { heartbeat, pings: () => pings, deaths: () => deaths };
}

it('an answered ping, or a refused one, is a sign of life', async () => {
	for (const answer of [() => Promise.resolve(), () => Promise.reject(new Error('refused'))]) {
		const { heartbeat, pings, deaths } = beating(answer);
		await vi.advanceTimersByTimeAsync(10_000);
		expect([pings(), deaths()]).toEqual([10, 0]);
		heartbeat.stop();
	}
});

it('a ping that is not answered in time is the end, and not before', async () => {
	const { heartbeat, deaths } = beating(() => new Promise(() => {}));
	await vi.advanceTimersByTimeAsync(1_299);
	expect(deaths()).toBe(0);
	await vi.advanceTimersByTimeAsync(1);
	expect(deaths()).toBe(1);
	heartbeat.stop();
});

it('a device that slept asks again before it gives up', async () => {
	const { heartbeat, pings, deaths } = beating(() => new Promise(() => {}));
	await vi.advanceTimersByTimeAsync(1_000);
	// The clock goes on while no timer runs.
	vi.setSystemTime(Date.now() + 60_000);
	await vi.advanceTimersByTimeAsync(300);
	expect([pings(), deaths()]).toEqual([2, 0]);
	await vi.advanceTimersByTimeAsync(300);
	expect(deaths()).toBe(1);
	heartbeat.stop();
});

it('a beat while an answer is awaited asks nothing, and after stop() nothing is left', async () => {
	const { heartbeat, pings } = beating(() => new Promise(() => {}));
	heartbeat.beat();
	heartbeat.beat();
	expect(pings()).toBe(1);
	heartbeat.stop();
	heartbeat.beat();
	await vi.advanceTimersByTimeAsync(10_000);
	expect([pings(), vi.getTimerCount()]).toEqual([1, 0]);
});
