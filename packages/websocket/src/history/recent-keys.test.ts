import { expect, it } from 'vitest';
import { IDEMPOTENCY_MS } from './history-store.ts';
import { RecentKeys } from './recent-keys.ts';

it('remembers a key for the promised time, whenever in a generation it was added', () => {
	for (let step = 1; step < 10; step++) {
		const keys = new RecentKeys();
		const added = (IDEMPOTENCY_MS * step) / 10;
		expect(keys.add('first', 0)).toBe(true);
		expect(keys.add('key', added)).toBe(true);
		expect(keys.add('between', IDEMPOTENCY_MS)).toBe(true);
		expect(keys.add('key', added + IDEMPOTENCY_MS - 1)).toBe(false);
		expect(keys.add('key', added + IDEMPOTENCY_MS)).toBe(true);
		expect(keys.add('key', added + 2 * IDEMPOTENCY_MS - 1)).toBe(false);
	}
});

it('holds the keys of two generations at most', () => {
	const keys = new RecentKeys();
	for (let now = 0; now < 10 * IDEMPOTENCY_MS; now += 10) keys.add(`${now}`, now);
	expect(keys.size).toBeLessThanOrEqual((2 * IDEMPOTENCY_MS) / 10);
	expect(keys.size).toBeGreaterThanOrEqual(IDEMPOTENCY_MS / 10);
});

it('drops all keys when no key was added for long', () => {
	const keys = new RecentKeys();
	for (const key of ['a', 'b']) keys.add(key, 0);
	keys.expire(IDEMPOTENCY_MS);
	expect(keys.size).toBe(2);
	keys.expire(2 * IDEMPOTENCY_MS);
	expect(keys.size).toBe(0);
	keys.add('c', 2 * IDEMPOTENCY_MS);
	keys.expire(10 * IDEMPOTENCY_MS);
	expect(keys.size).toBe(0);
});
