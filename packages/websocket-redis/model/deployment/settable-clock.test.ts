import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RedisServer, type ScriptProcess, spawnBun, startRedis } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SettableClock } from './settable-clock.ts';

const HOUR_MS = 3_600_000;
/** How much the readings of two processes may differ, in milliseconds. */
const SLACK_MS = 250;
const TIMES = new URL('../test-support/times.ts', import.meta.url);

interface Times {
	/** `Date.now()` */
	readonly clock: number;
	/** What the model takes for the true time. */
	readonly true: number;
}

// Elsewhere there is no libfaketime, and the model does not run.
describe.runIf(process.platform === 'linux')('a clock that can be set', () => {
	const dir = mkdtempSync(join(tmpdir(), 'orijs-clock-'));
	const clock = new SettableClock(join(dir, 'clock'));
	let bun: ScriptProcess;
	let redis: RedisServer;
	beforeAll(async () => {
		// A process that starts while the clock is wrong knows the true time as well.
		clock.set(-HOUR_MS);
		bun = spawnBun(TIMES, { env: clock.env });
		redis = await startRedis({ env: clock.env });
	});
	afterAll(async () => {
		await Promise.all([bun.stop(0), redis.stop()]);
		rmSync(dir, { recursive: true });
	});

	it.each([0, 5 * HOUR_MS, -3 * HOUR_MS, 1_500])('moves the clocks of its processes to %d ms', async (offsetMs) => {
		clock.set(offsetMs);
		const times = await bun.request<Times>('times');
		expect(Math.abs(times.clock - Date.now() - offsetMs)).toBeLessThan(SLACK_MS);
		expect(Math.abs(times.true - Date.now())).toBeLessThan(SLACK_MS);
		const [seconds, microseconds] = (await redis.command('TIME')) as string[];
		const ofRedis = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
		expect(Math.abs(ofRedis - Date.now() - offsetMs)).toBeLessThan(SLACK_MS);
	});

	it('leaves timers alone', async () => {
		const before = performance.now();
		const slept = bun.request('sleep');
		clock.set(HOUR_MS);
		clock.set(-HOUR_MS);
		await slept;
		expect(performance.now() - before).toBeGreaterThan(295);
		expect(performance.now() - before).toBeLessThan(300 + SLACK_MS);
	});

	it('is read in one piece, however often it is set', async () => {
		const read = bun.request<number>('many');
		for (let i = 0; i < 2_000; i++) clock.set(i % 2 === 0 ? HOUR_MS : -HOUR_MS);
		expect(Math.abs((await read) - HOUR_MS)).toBeLessThan(SLACK_MS + 2_000);
	});

	it('is refused where the file can not be written', () => {
		writeFileSync(join(dir, 'file'), '');
		expect(() => new SettableClock(join(dir, 'file', 'clock'))).toThrow(/ENOTDIR/);
	});
});
