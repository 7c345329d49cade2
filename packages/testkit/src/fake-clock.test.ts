import { existsSync, readdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { fakeClock } from './fake-clock.ts';
import type { FakeClock } from './fake-clock.ts';
import { spawnBun } from './processes.ts';
import { startRedis } from './redis-server.ts';

const CHILD = new URL('fixtures/clock-child.ts', import.meta.url);
const HOUR = 3_600_000;
/** A busy machine may delay an answer this much, in milliseconds. */
const TOLERANCE = 5_000;

const stops: (() => unknown)[] = [];
afterEach(async () => {
	for (const stop of stops.splice(0).toReversed()) await stop();
});

function clockAt(offsetMs: number): FakeClock {
	const clock = fakeClock(offsetMs);
	stops.push(() => clock.remove());
	return clock;
}

/** How far a time is from this clock's, in milliseconds. */
function errorOf(clock: FakeClock, time: number): number {
	return Math.abs(time - clock.now());
}

// libfaketime works by the dynamic linker of Linux.
describe.runIf(process.platform === 'linux')('a fake clock', () => {
	test('is the clock of a Bun process, is set while that runs, and leaves the monotonic clock alone', async () => {
		const clock = clockAt(HOUR);
		const child = spawnBun(CHILD, { env: clock.env });
		stops.push(() => child.stop());
		type Times = { date: number; monotonic: number };

		const first = await child.request<Times>('time');
		expect(errorOf(clock, first.date)).toBeLessThan(TOLERANCE);
		clock.set(-HOUR);
		const second = await child.request<Times>('time');
		expect(errorOf(clock, second.date)).toBeLessThan(TOLERANCE);
		expect(second.date - first.date).toBeLessThan(-HOUR);
		expect(second.monotonic).toBeGreaterThan(first.monotonic);
		expect(second.monotonic - first.monotonic).toBeLessThan(TOLERANCE);
	});

	test('is the clock of a redis-server, also after a restart', async () => {
		const clock = clockAt(-HOUR);
		const redis = await startRedis({ env: clock.env });
		stops.push(() => redis.stop());
		const time = async (): Promise<number> => Number(((await redis.command('TIME')) as string[])[0]) * 1_000;

		expect(errorOf(clock, await time())).toBeLessThan(TOLERANCE);
		clock.set(HOUR);
		expect(errorOf(clock, await time())).toBeLessThan(TOLERANCE);
		await redis.restart();
		expect(errorOf(clock, await time())).toBeLessThan(TOLERANCE);
	});

	test('can be read less often by running processes', async () => {
		const clock = fakeClock(HOUR, { cached: true });
		stops.push(() => clock.remove());
		const child = spawnBun(CHILD, { env: clock.env });
		stops.push(() => child.stop());

		const { date } = await child.request<{ date: number }>('time');
		expect(errorOf(clock, date)).toBeLessThan(TOLERANCE);
		clock.set(-HOUR);
		const { date: second } = await child.request<{ date: number }>('time');
		expect(second).toBeGreaterThanOrEqual(date);
	});

	test('leaves nothing behind', async () => {
		const clock = clockAt(0);
		const child = spawnBun(CHILD, { env: clock.env });
		await child.request('time');
		child.kill();
		await child.exited;
		clock.remove();

		expect(existsSync(clock.env['FAKETIME_TIMESTAMP_FILE'] ?? '')).toBe(false);
		expect(readdirSync('/dev/shm').filter((name) => name.endsWith(`_${child.pid}`))).toEqual([]);
	});
});
