import { expect, test } from 'vitest';
import { until } from './until.ts';

test('waits for a synchronous or asynchronous condition', async () => {
	let polls = 0;
	await until(() => ++polls === 3, { what: 'the third poll' });
	await until(async () => ++polls === 6, { what: 'the sixth poll' });

	expect(polls).toBe(6);
});

test('names the condition when it times out, and stops polling', async () => {
	let polls = 0;
	const never = (): boolean => ++polls < 0;

	await expect(until(never, { what: 'pigs fly', timeoutMs: 30 })).rejects.toThrow(
		'timed out after 30 ms waiting until pigs fly',
	);
	await expect(until(never, { what: () => `${polls > 0} polls`, timeoutMs: 10 })).rejects.toThrow('until true polls');
	const atTheEnd = polls;
	await Bun.sleep(20);
	expect(polls).toBe(atTheEnd);
});

test('times out if the condition never settles, and rejects if it throws', async () => {
	const hanging = until(() => new Promise<boolean>(() => {}), { what: 'it settles', timeoutMs: 30 });
	await expect(hanging).rejects.toThrow('it settles');

	const throwing = until(() => Promise.reject(new Error('broken')), { what: 'it works' });
	await expect(throwing).rejects.toThrow('broken');
});
