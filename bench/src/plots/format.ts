/** A size in which values of a unit are written. */
export interface Step {
	/** In the unit's own measure. */
	readonly factor: number;
	readonly suffix: string;
}

const COUNTS = [
	['', 1],
	['k', 1e3],
	['M', 1e6],
	['G', 1e9],
] as const;

const FAMILIES = [
	[
		[' ns', 1e-9],
		[' µs', 1e-6],
		[' ms', 1e-3],
		[' s', 1],
	],
	[
		[' B', 1],
		[' KiB', 2 ** 10],
		[' MiB', 2 ** 20],
		[' GiB', 2 ** 30],
	],
] as const;

/**
 * The sizes for a unit, ascending. Of `deliveries/s` only `/s` is kept, of `bytes per socket` only the size of the bytes:
 * the panel says the unit in full.
 */
export function stepsOf(unit: string): readonly Step[] {
	const [head = '', per] = unit.split(/\/| per /).map((part) => part.trim());
	const rate = per === 's' ? '/s' : '';
	const own = ` ${head === 'bytes' ? 'B' : head}`;
	for (const family of FAMILIES) {
		const base = family.find(([suffix]) => suffix === own);
		if (base) return family.map(([suffix, size]) => ({ factor: size / base[1], suffix: suffix + rate }));
	}
	if (head === '%') return [{ factor: 1, suffix: ' %' }];
	return COUNTS.map(([suffix, factor]) => ({ factor, suffix: suffix + rate }));
}

/** The largest that keeps the value at 1 or more. */
export function stepFor(value: number, unit: string): Step {
	const steps = stepsOf(unit);
	const [smallest = { factor: 1, suffix: '' }] = steps;
	return steps.findLast(({ factor }) => value >= factor * (1 - 1e-9)) ?? smallest;
}

/** Three significant digits: `1.24M/s`, `82.0 µs`. */
export function formatValue(value: number, unit: string): string {
	const step = stepFor(rounded(value, stepFor(value, unit).factor), unit);
	return `${digits(value / step.factor)}${step.suffix}`;
}

/** As short as it is exact, for axes: `10k/s`. */
export function formatTick(value: number, unit: string, step: Step = stepFor(value, unit)): string {
	return value === 0 ? '0' : `${Number((value / step.factor).toPrecision(6))}${step.suffix}`;
}

export function formatRatio(ratio: number): string {
	if (ratio > 0 && ratio < 0.0995) return `${ratio.toPrecision(2)}×`;
	return `${ratio < 9.995 ? ratio.toFixed(2) : digits(ratio)}×`;
}

/** Rounded down: what is not everything never reads as 100 %. */
export function formatShare(share: number): string {
	const percent = share * 100;
	const shown = percent >= 99 && percent < 100 ? Math.floor(percent * 10 + 1e-6) / 10 : Math.floor(percent + 1e-6);
	return `${percent > 0 && percent < 1 ? '<1' : Math.min(shown, share < 1 ? 99.9 : 100)} %`;
}

function rounded(value: number, factor: number): number {
	return Number((value / factor).toPrecision(3)) * factor;
}

function digits(value: number): string {
	if (value === 0) return '0';
	return value >= 999.5 ? Math.round(value).toString() : value.toPrecision(3);
}
