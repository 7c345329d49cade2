/** From a value to a coordinate. */
export type Scale = (value: number) => number;

export type Interval = readonly [from: number, to: number];

export function linearScale(domain: Interval, range: Interval): Scale {
	const [low, high] = domain;
	const [from, to] = range;
	// All in the middle, where there is only one value.
	if (low === high) return () => (from + to) / 2;
	return (value) => from + ((value - low) / (high - low)) * (to - from);
}

/** For values above zero. */
export function logScale(domain: Interval, range: Interval): Scale {
	const linear = linearScale([Math.log(domain[0]), Math.log(domain[1])], range);
	return (value) => linear(Math.log(value));
}

/** Round steps of one `unit` from zero, the last at or above `max`. */
export function linearTicks(max: number, unit: number): number[] {
	if (max <= 0) return [0, unit];
	const inUnit = max / unit;
	const rough = inUnit / 4;
	const magnitude = 10 ** Math.floor(Math.log10(rough));
	const step = ([1, 2, 2.5, 5].find((factor) => factor * magnitude >= rough) ?? 10) * magnitude;
	const count = Math.ceil(inUnit / step - 1e-9);
	return Array.from({ length: count + 1 }, (_, index) => index * step * unit);
}

const MOST_LOG_TICKS = 7;

/** 1, 2, 5, 10 … of each of the `units` (ascending) up to the next one, or only the tens where that would be too many. */
export function logTicks(domain: Interval, units: readonly number[]): number[] {
	const [low, high] = domain;
	const all = withSmaller(units, low).flatMap((unit, index, known) => {
		const next = known[index + 1] ?? Infinity;
		return multiples(high / unit).map(({ factor, isTen }) => ({ value: factor * unit, isTen, next }));
	});
	const inside = all.filter(({ value, next }) => value >= low && value <= high && value < next * 0.9);
	const shown = inside.length > MOST_LOG_TICKS ? inside.filter(({ isTen }) => isTen) : inside;
	return shown.map(({ value }) => value);
}

function withSmaller(units: readonly number[], low: number): number[] {
	const known = [...units];
	while ((known[0] ?? 1) > low) known.unshift((known[0] ?? 1) / 1000);
	return known;
}

function multiples(limit: number): { factor: number; isTen: boolean }[] {
	const found = [];
	for (let ten = 1; ten <= limit; ten *= 10) {
		found.push(...[1, 2, 5].map((digit) => ({ factor: digit * ten, isTen: digit === 1 })));
	}
	return found;
}
