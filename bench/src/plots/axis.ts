import { formatTick, stepFor, stepsOf } from './format.ts';
import { linearScale, linearTicks, logScale, logTicks, type Interval, type Scale } from './scale.ts';

export interface Axis {
	readonly scale: Scale;
	readonly ticks: readonly { readonly value: number; readonly label: string }[];
	readonly isLog: boolean;
}

/** Where a linear axis would press most curves flat onto zero. */
const LOG_FROM_RANGE = 50;

/** From zero, or logarithmic where the values span too much for that. */
export function valueAxis(values: readonly number[], unit: string, range: Interval): Axis {
	const low = Math.min(...values);
	const high = Math.max(...values);
	if (low > 0 && high / low >= LOG_FROM_RANGE) {
		const domain = [low / 1.3, high * 1.3] as const;
		const factors = stepsOf(unit).map(({ factor }) => factor);
		const ticks = logTicks(domain, factors).map((value) => ({ value, label: formatTick(value, unit) }));
		return { scale: logScale(domain, range), ticks, isLog: true };
	}
	const step = stepFor(high, unit);
	const ticks = linearTicks(high, step.factor).map((value) => ({ value, label: formatTick(value, unit, step) }));
	return { scale: linearScale([0, ticks.at(-1)?.value ?? 1], range), ticks, isLog: false };
}

/** Logarithmic, with a tick for each place that was measured; linear where one of them is zero. */
export function growthAxis(places: readonly number[], range: Interval): Axis {
	const domain = [Math.min(...places), Math.max(...places)] as const;
	const isLog = domain[0] > 0;
	const ticks = places.map((value) => ({ value, label: formatTick(value, '') }));
	return { scale: (isLog ? logScale : linearScale)(domain, range), ticks, isLog };
}

/** Leaves out the labels that would run into the one before; the last one always stays. */
export function roomyTicks({ ticks, scale }: Axis, spacing: number): Axis['ticks'] {
	const last = ticks.at(-1);
	let previous = -Infinity;
	return ticks.filter((tick) => {
		const x = scale(tick.value);
		const hasRoom = x - previous >= spacing && (!last || tick === last || scale(last.value) - x >= spacing);
		if (hasRoom) previous = x;
		return hasRoom || tick === last;
	});
}
