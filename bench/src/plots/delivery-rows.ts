import type { Block } from './block.ts';
import type { Curve } from './curves.ts';
import { formatShare } from './format.ts';
import type { Scale } from './scale.ts';
import { text } from './svg.ts';

const ROW = 17;

/** Whether something was lost anywhere on the curve. */
export function isLossy({ points }: Curve): boolean {
	return points.some(({ result }) => result.delivered < 1);
}

/** A row for each lossy curve: at the places where something was lost, the share that was delivered. */
export function deliveryRows(curves: readonly Curve[], x: Scale, left: number): Block {
	const rows = curves.filter(isLossy).map(({ subject, points }, row) => {
		const y = 13 + row * ROW;
		const lost = points.filter(({ result }) => result.delivered < 1);
		return [
			text(left - 7, y, subject, { class: 'small muted end' }),
			...lost.map((point) =>
				text(x(point.x), y, `✕ ${formatShare(point.result.delivered)}`, { class: 'small middle' }),
			),
		].join('\n');
	});
	return { height: rows.length * ROW, markup: rows.join('\n') };
}
