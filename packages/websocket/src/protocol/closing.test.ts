import { describe, expect, it } from 'vitest';
import { CloseCode, DRAINED_REASON, readRetryHint, wasDrained, withRetryHint } from './index.ts';

describe('the retry hint', () => {
	it.each([0, 1, 1_000, 999_999_999])('of %d ms is read back unchanged', (ms) => {
		expect(readRetryHint(withRetryHint('restarting', ms))).toBe(ms);
		expect(readRetryHint(withRetryHint('', ms))).toBe(ms);
	});

	it('follows the human-readable reason', () => {
		expect(withRetryHint('too many messages', 1_000)).toBe('too many messages; retry-after-ms=1000');
	});

	it('is rounded to whole milliseconds', () => {
		expect(readRetryHint(withRetryHint('restarting', 12.6))).toBe(13);
	});

	it('fits in a close frame, which takes 123 bytes', () => {
		expect(Buffer.byteLength(withRetryHint('server is stopping', 999_999_999))).toBeLessThanOrEqual(123);
	});

	it('is read with or without a reason in front', () => {
		expect(readRetryHint('retry-after-ms=5')).toBe(5);
		expect(readRetryHint('a; b; retry-after-ms=5')).toBe(5);
	});

	it.each([
		'',
		'going away',
		'retry-after-ms=',
		'retry-after-ms=-5',
		'retry-after-ms=1.5',
		'retry-after-ms=5s',
		'retry-after-ms=5; more',
		'retry-after-ms=5\n',
		'retry-after-ms=1234567890',
		'x-retry-after-ms=5',
		'no;retry-after-ms=5',
	])('is absent from %j', (reason) => {
		expect(readRetryHint(reason)).toBeUndefined();
	});
});

it('every close code is one that a server may send', () => {
	for (const [name, code] of Object.entries(CloseCode)) {
		const isStandard = [1003, 1009, 1011, 1012, 1013].includes(code);
		expect([name, isStandard || (code >= 4000 && code <= 4999)]).toEqual([name, true]);
	}
	expect(new Set(Object.values(CloseCode)).size).toBe(Object.keys(CloseCode).length);
});

describe('a drained server', () => {
	it('is recognized by the reason, with or without a hint', () => {
		expect(wasDrained(1012, DRAINED_REASON)).toBe(true);
		expect(wasDrained(1012, withRetryHint(DRAINED_REASON, 5))).toBe(true);
		expect(wasDrained(1012, 'drained')).toBe(true);
		expect(readRetryHint(withRetryHint(DRAINED_REASON, 5))).toBe(5);
	});

	it.each([
		'',
		'server is stopping',
		withRetryHint('server is stopping', 5),
		'undrained',
		'drained?',
		'not drained; x',
	])('is not recognized in %j', (reason) => expect(wasDrained(1012, reason)).toBe(false));

	it('is not recognized with another code', () => {
		expect(wasDrained(1001, DRAINED_REASON)).toBe(false);
	});
});
