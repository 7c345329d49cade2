import type { CaseResult } from '../report/results.ts';
import type { Block } from './block.ts';
import { text } from './svg.ts';
import { textWidth, wrap } from './text-width.ts';
import { SIZE } from './theme.ts';

const LINE_HEIGHT = 17;
const GAP = 10;

/** `deliveries/s, higher is better` */
export function caseHeading({ unit, better }: Pick<CaseResult, 'unit' | 'better'>): string {
	return `${unit}, ${better} is better`;
}

export function isBesideRoomy(name: string, details: string, width: number): boolean {
	return textWidth(name, SIZE.heading, 'bold') + GAP + textWidth(details, SIZE.small) <= width;
}

/** A name, and at the end of its line or beneath it what is measured. */
export function panelHeading(name: string, details: string, width: number, isBeside: boolean): Block {
	const lines = wrap(name, SIZE.heading, width, 'bold');
	const height = (lines.length + (isBeside ? 0 : 1)) * LINE_HEIGHT;
	return {
		height,
		markup: [
			...lines.map((content, index) => text(0, 12 + index * LINE_HEIGHT, content, { class: 'heading' })),
			text(isBeside ? width : 0, height - 5, details, { class: isBeside ? 'small muted end' : 'small muted' }),
		].join('\n'),
	};
}
