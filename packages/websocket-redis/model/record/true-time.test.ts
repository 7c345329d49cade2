import { type FakeClock, fakeClock, type ScriptProcess, spawnBun } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { trueNow } from './true-time.ts';

const HOUR_MS = 3_600_000;
/** How much the readings of two processes may differ, in milliseconds. */
const SLACK_MS = 250;
const TIMES = new URL('../test-support/times.ts', import.meta.url);

interface Times {
	/** `Date.now()` */
	readonly clock: number;
	readonly true: number;
}

it('is the time of day, where the clock is right', () => {
	expect(Math.abs(trueNow() - Date.now())).toBeLessThan(SLACK_MS);
});

// Elsewhere there is no libfaketime, and the model does not run.
describe.runIf(process.platform === 'linux')('in a process with a wrong clock, the true time', () => {
	let clock: FakeClock;
	let bun: ScriptProcess;
	beforeAll(() => {
		// It is wrong from the start.
		clock = fakeClock(-HOUR_MS);
		bun = spawnBun(TIMES, { env: clock.env });
	});
	afterAll(async () => {
		await bun.stop(0);
		clock.remove();
	});

	it.each([-HOUR_MS, 0, 5 * HOUR_MS, 1_500])('stays the same if the clock is %d ms ahead', async (offsetMs) => {
		clock.set(offsetMs);
		const times = await bun.request<Times>('times');
		expect(Math.abs(times.clock - Date.now() - offsetMs)).toBeLessThan(SLACK_MS);
		expect(Math.abs(times.true - Date.now())).toBeLessThan(SLACK_MS);
	});
});
