import { expect, it } from 'vitest';
import { figure } from './print.ts';
import { count, size } from './words.ts';

it('formats figures with at least three digits and thousands separators', () => {
	expect([0, 0.0123, 0.5, 1.234, 12.34, 123.4, 1_234_567].map(figure)).toEqual([
		'0',
		'0.012',
		'0.500',
		'1.23',
		'12.3',
		'123',
		'1,234,567',
	]);
});

it('formats counts and sizes', () => {
	expect([count(1, 'socket'), count(15_000, 'socket')]).toEqual(['1 socket', '15,000 sockets']);
	expect([size(64), size(1024)]).toEqual(['64 B', '1 KiB']);
});
