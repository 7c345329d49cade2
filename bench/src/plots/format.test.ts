import { expect, test } from 'vitest';
import { formatRatio, formatShare, formatTick, formatValue } from './format.ts';

test.each([
	[1_238_000, 'deliveries/s', '1.24M/s'],
	[999_600, 'deliveries/s', '1.00M/s'],
	[95_000, 'messages/s', '95.0k/s'],
	[812, 'messages/s', '812/s'],
	[82, 'µs', '82.0 µs'],
	[1340, 'µs', '1.34 ms'],
	[0.25, 'µs', '250 ns'],
	[999.7, 'ms', '1.00 s'],
	[812, 'bytes', '812 B'],
	[1536, 'bytes/socket', '1.50 KiB'],
	[3 * 1024 ** 2, 'bytes per socket', '3.00 MiB'],
	[12, 'reads per join', '12.0'],
	[0, 'µs', '0 ns'],
])('%d %s is written %s', (value, unit, written) => {
	expect(formatValue(value, unit)).toBe(written);
});

test('a tick has no more digits than it needs', () => {
	expect(formatTick(10_000, 'deliveries/s')).toBe('10k/s');
	expect(formatTick(2.5e6, 'deliveries/s')).toBe('2.5M/s');
	expect(formatTick(0, 'deliveries/s')).toBe('0');
});

test.each([
	[0.983, '0.98×'],
	[1, '1.00×'],
	[0.0683, '0.068×'],
	[9.996, '10.0×'],
	[12.34, '12.3×'],
	[1234, '1234×'],
])('a ratio of %d is written %s', (ratio, written) => {
	expect(formatRatio(ratio)).toBe(written);
});

test.each([
	[0.629, '62 %'],
	[0.29, '29 %'],
	[0.9946, '99.4 %'],
	[0.9996, '99.9 %'],
	[0.99999999, '99.9 %'],
	[1, '100 %'],
	[0.004, '<1 %'],
	[0, '0 %'],
])('a share of %d is written %s: never as more than it is', (share, written) => {
	expect(formatShare(share)).toBe(written);
});
