import { format } from 'd3-format';

/** The units that are written as a base unit with an SI prefix. */
const BASE_UNITS: Readonly<Record<string, readonly [symbol: string, factor: number]>> = {
	µs: ['s', 1e-6],
	ms: ['s', 1e-3],
	bytes: ['B', 1],
};

/** Formats a value with three significant digits, such as `1.24M/s`, `82.0 µs` or `3.73 kB`. */
export function formatValue(value: number, unit: string): string {
	return formatNumber(value, unit, '.3');
}

/** Formats a value on an axis, with no more digits than it needs, such as `10k/s`. */
export function formatTick(value: number, unit: string): string {
	return value === 0 ? '0' : formatNumber(value, unit, '~');
}

/**
 * Formats a ratio with two decimals, or with two significant digits below 0.1 and three from 10, such as `1.03×`,
 * `12.6×` or `0.078×`.
 */
export function formatRatio(ratio: number): string {
	return `${format(ratio < 0.1 ? '.2r' : ratio < 10 ? '.2f' : '.3r')(ratio)}×`;
}

/** Formats a share as a percentage. It is rounded down, so that less than everything is never shown as 100 %. */
export function formatShare(share: number): string {
	return `${Math.floor(share * 1000 + 1e-6) / 10} %`;
}

function formatNumber(value: number, unit: string, precision: string): string {
	const base = BASE_UNITS[unit];
	if (base === undefined) return format(precision + (value < 1 ? 'r' : 's'))(value) + (unit.endsWith('/s') ? '/s' : '');
	const [symbol, factor] = base;
	return format(`${precision}s`)(value * factor).replace(/(\d)(\D?)$/, `$1 $2${symbol}`);
}
