import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fullJitter, isExpired, isTerminal } from './reconnect-policy.ts';

afterEach(() => vi.restoreAllMocks());

describe('full jitter', () => {
	it('is between 0 and a bound that doubles, up to the largest one', () => {
		fc.assert(
			fc.property(
				fc.nat({ max: 2_000 }),
				fc.integer({ min: 1, max: 1_000 }),
				fc.nat(),
				(failures, minDelayMs, more) => {
					const maxDelayMs = minDelayMs + more;
					const wait = fullJitter(failures, { minDelayMs, maxDelayMs });
					expect(wait).toBeGreaterThanOrEqual(0);
					expect(wait).toBeLessThanOrEqual(Math.min(maxDelayMs, minDelayMs * 2 ** failures));
				},
			),
		);
	});

	it('covers the whole range', () => {
		const bounds = { minDelayMs: 100, maxDelayMs: 1_000 };
		vi.spyOn(Math, 'random').mockReturnValue(0.999);
		expect([0, 1, 2, 3, 4, 5].map((failures) => Math.round(fullJitter(failures, bounds)))).toEqual([
			100, 200, 400, 799, 999, 999,
		]);
		vi.spyOn(Math, 'random').mockReturnValue(0);
		expect(fullJitter(5, bounds)).toBe(0);
	});
});

it('exactly the codes after which reconnecting is pointless are terminal', () => {
	const codes = Array.from({ length: 5_000 }, (_, code) => code).filter((code) => isTerminal({ code, reason: '' }));
	expect(codes).toEqual([1002, 1003, 1007, 4401, 4403]);
});

describe('a client that the server has disconnected', () => {
	const told = (reconnect: boolean) => ({ code: 'token_expired', message: 'Log in again', reconnect });

	it('for good does not return, even if the close frame got lost', () => {
		expect(isTerminal({ code: 1006, reason: '', disconnected: told(false) })).toBe(true);
		expect(isTerminal({ code: 1006, reason: '', disconnected: told(true) })).toBe(false);
		expect(isTerminal({ code: 4503, reason: 'moved; retry-after-ms=5', disconnected: told(true) })).toBe(false);
	});

	it('is not asked for new credentials, whatever the code', () => {
		expect(isExpired({ code: 4401, reason: 'token_expired' })).toBe(true);
		expect(isExpired({ code: 4403, reason: 'token_expired' })).toBe(false);
		expect(isExpired({ code: 4401, reason: 'token_expired', disconnected: told(false) })).toBe(false);
	});
});
