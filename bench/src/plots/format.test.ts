import { expect, it } from 'vitest';
import { formatRatio, formatShare, formatTick, formatValue } from './format.ts';

it.each([
	[1_238_000, 'deliveries/s', '1.24M/s'],
	[999_600, 'deliveries/s', '1.00M/s'],
	[812, 'messages/s', '812/s'],
	[82, 'µs', '82.0 µs'],
	[1340, 'µs', '1.34 ms'],
	[0.25, 'µs', '250 ns'],
	[370, 'ms', '370 ms'],
	[812, 'bytes', '812 B'],
	[3729, 'bytes', '3.73 kB'],
	[0.921, 'CPU µs/delivery', '0.921'],
	[11.32, 'CPU µs/delivery', '11.3'],
])('writes %d %s as %s', (value, unit, written) => {
	expect(formatValue(value, unit)).toBe(written);
});

it('gives a tick no more digits than it needs', () => {
	expect(formatTick(10_000, 'deliveries/s')).toBe('10k/s');
	expect(formatTick(2.5e6, 'deliveries/s')).toBe('2.5M/s');
	expect(formatTick(0.2, 'CPU µs/delivery')).toBe('0.2');
	expect(formatTick(0, 'bytes')).toBe('0');
});

it.each([
	[0.983, '0.98×'],
	[1, '1.00×'],
	[0.0683, '0.068×'],
	[12.34, '12.3×'],
	[249.26, '249×'],
])('writes a ratio of %d as %s', (ratio, written) => {
	expect(formatRatio(ratio)).toBe(written);
});

it.each([
	[0.629, '62.9 %'],
	[0.29, '29 %'],
	[0.99999999, '99.9 %'],
	[1, '100 %'],
	[0, '0 %'],
])('never writes a share of %d as more than it is: %s', (share, written) => {
	expect(formatShare(share)).toBe(written);
});
