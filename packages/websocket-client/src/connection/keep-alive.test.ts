import { SocketRequestError } from '@orijs/websocket/protocol';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KeepAlive } from './keep-alive.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Started {
	readonly keepAlive: KeepAlive;
	/** How many pings were sent. */
	readonly pings: () => number;
	/** The timeouts after which the connection was found dead. */
	readonly deaths: readonly number[];
	/** Lets a frame arrive. */
	readonly frame: () => void;
}

const never = (): Promise<number> => new Promise(() => {});

function startKeepAlive(ping: () => Promise<number>, options: { timeoutMs?: number } = {}): Started {
	let [pings, hasSign] = [0, false];
	const deaths: number[] = [];
	const keepAlive = new KeepAlive(
		{ intervalMs: 1_000, timeoutMs: 300, ...options },
		() => {
			pings++;
			hasSign = false;
			return ping();
		},
		() => {
			const before = hasSign;
			hasSign = false;
			return before;
		},
		(timeoutMs) => void deaths.push(timeoutMs),
	);
	keepAlive.start();
	return { keepAlive, pings: () => pings, deaths, frame: () => void (hasSign = true) };
}

it('accepts an answered or refused ping as a sign of life', async () => {
	const refusal = new SocketRequestError('@ping', 'rate_limited', 'simulated');
	for (const answer of [() => Promise.resolve(5), () => Promise.reject(refusal)]) {
		const { keepAlive, pings, deaths } = startKeepAlive(answer);
		await vi.advanceTimersByTimeAsync(10_000);
		expect([pings(), deaths]).toEqual([10, []]);
		keepAlive.stop();
	}
});

it('reports a dead server when a ping times out, and not before', async () => {
	const { keepAlive, deaths } = startKeepAlive(never);
	await vi.advanceTimersByTimeAsync(1_299);
	expect(deaths).toEqual([]);
	await vi.advanceTimersByTimeAsync(1);
	expect(deaths).toEqual([300]);
	keepAlive.stop();
});

it('does not take a connection that no longer accepts pings for one that answers them', async () => {
	const ended = new SocketRequestError('@ping', 'disconnected', 'simulated');
	const { keepAlive, deaths } = startKeepAlive(() => Promise.reject(ended));
	const checked = keepAlive.check();
	await expect(checked).rejects.toBe(ended);
	await vi.advanceTimersByTimeAsync(300);
	expect(deaths).toEqual([300]);
	keepAlive.stop();
});

it('pings again after the device slept, before it reports a dead server', async () => {
	const { keepAlive, pings, deaths } = startKeepAlive(never);
	await vi.advanceTimersByTimeAsync(1_000);
	// As during sleep, the clock advances while no timer fires.
	vi.setSystemTime(Date.now() + 60_000);
	await vi.advanceTimersByTimeAsync(300);
	expect([pings(), deaths]).toEqual([2, []]);
	await vi.advanceTimersByTimeAsync(300);
	expect(deaths).toEqual([300]);
	keepAlive.stop();
});

it('sends no ping while one is pending, and leaves no timer after stop()', async () => {
	const { keepAlive, pings } = startKeepAlive(never);
	expect(keepAlive.check()).toBe(keepAlive.check());
	expect(pings()).toBe(1);
	keepAlive.stop();
	await vi.advanceTimersByTimeAsync(10_000);
	expect([pings(), vi.getTimerCount()]).toEqual([1, 0]);
});

describe('frames that arrive', () => {
	it('keep a connection whose pings are never answered, and no second ping is sent', async () => {
		const { keepAlive, pings, deaths, frame } = startKeepAlive(never);
		const frames = setInterval(frame, 250);
		await vi.advanceTimersByTimeAsync(20_000);
		expect([pings(), deaths]).toEqual([1, []]);
		clearInterval(frames);
		keepAlive.stop();
	});

	it.each([
		['a timeout below the interval', 300],
		['a timeout above the interval', 2_500],
	])('when they stop, the connection is found dead within interval and timeout: %s', async (_, timeoutMs) => {
		for (let last = 100; last < 4_000; last += 130) {
			const { keepAlive, deaths, frame } = startKeepAlive(never, { timeoutMs });
			const frames = setInterval(frame, 50);
			await vi.advanceTimersByTimeAsync(last);
			clearInterval(frames);
			await vi.advanceTimersByTimeAsync(timeoutMs - 51);
			expect(deaths).toEqual([]);
			await vi.advanceTimersByTimeAsync(1_000 + 51);
			expect(deaths).toHaveLength(1);
			keepAlive.stop();
		}
	});

	it('before the ping prove nothing', async () => {
		const { keepAlive, deaths, frame } = startKeepAlive(never);
		frame();
		await vi.advanceTimersByTimeAsync(1_300);
		expect(deaths).toEqual([300]);
		keepAlive.stop();
	});

	it('before a sleep prove nothing about the time after it', async () => {
		const { keepAlive, pings, deaths, frame } = startKeepAlive(never);
		await vi.advanceTimersByTimeAsync(1_000);
		frame();
		vi.setSystemTime(Date.now() + 60_000);
		await vi.advanceTimersByTimeAsync(300);
		expect([pings(), deaths]).toEqual([2, []]);
		await vi.advanceTimersByTimeAsync(300);
		expect(deaths).toEqual([300]);
		keepAlive.stop();
	});
});

describe('a check with a timeout of its own', () => {
	it('shares the pending ping and brings its timeout forward', async () => {
		const { keepAlive, pings, deaths } = startKeepAlive(never);
		void keepAlive.check();
		await vi.advanceTimersByTimeAsync(50);
		void keepAlive.check(100);
		await vi.advanceTimersByTimeAsync(99);
		expect(deaths).toEqual([]);
		await vi.advanceTimersByTimeAsync(1);
		expect([pings(), deaths]).toEqual([1, [100]]);
		keepAlive.stop();
	});

	it('does not extend the timeout, however often it is called', async () => {
		const { keepAlive, deaths } = startKeepAlive(never);
		void keepAlive.check();
		for (let i = 0; i < 5; i++) {
			await vi.advanceTimersByTimeAsync(60);
			void keepAlive.check(1_000);
			void keepAlive.check(280);
		}
		expect(deaths).toEqual([300]);
		keepAlive.stop();
	});

	it('resolves with the round trip, and the regular pings go on', async () => {
		const { keepAlive, pings, deaths } = startKeepAlive(() => Promise.resolve(7));
		expect(await keepAlive.check(1)).toBe(7);
		await vi.advanceTimersByTimeAsync(3_000);
		expect([pings(), deaths]).toEqual([4, []]);
		keepAlive.stop();
	});
});
