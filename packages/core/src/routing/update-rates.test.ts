import { expect, test } from 'vitest';
import type { Session } from '../session/session.ts';
import { UpdateRates } from './update-rates.ts';

const session = {} as Session;

test('a burst of five is allowed in each topic; nothing else while the rate is low', () => {
	const rates = new UpdateRates(0.001, 10);
	for (const topic of ['a', 'b']) {
		expect(Array.from({ length: 7 }, () => rates.take(session, topic))).toEqual([
			true,
			true,
			true,
			true,
			true,
			false,
			false,
		]);
	}
	expect(rates.take({} as Session, 'a')).toBe(true);
});

test('what is refused does not count: the rate is kept', async () => {
	const rates = new UpdateRates(100, 10);
	let allowed = 0;
	const start = performance.now();
	while (performance.now() - start < 200) {
		if (rates.take(session, 'a')) allowed++;
		await new Promise((resolve) => setImmediate(resolve));
	}
	const elapsed = performance.now() - start;
	expect(allowed).toBeLessThanOrEqual(5 + elapsed / 10 + 1);
	expect(allowed).toBeGreaterThan(10);
});

test('without a limit, everything is allowed', () => {
	const rates = new UpdateRates(Infinity, 1);
	for (let i = 0; i < 100; i++) expect(rates.take(session, `${i}`)).toBe(true);
});

test('a client that goes through more topics than it can be in is refused until earlier ones have rested', async () => {
	const rates = new UpdateRates(20, 3);
	for (const topic of ['a', 'b', 'c']) expect(rates.take(session, topic)).toBe(true);
	expect(rates.take(session, 'd')).toBe(false);
	expect(rates.take(session, 'a')).toBe(true);
	const start = performance.now();
	while (!rates.take(session, 'd')) await new Promise((resolve) => setImmediate(resolve));
	expect(performance.now() - start).toBeGreaterThan(30);
});
