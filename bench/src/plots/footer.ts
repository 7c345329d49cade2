import type { Machine } from '../report/results.ts';
import type { Block } from './block.ts';
import { text } from './svg.ts';
import { wrap } from './text-width.ts';
import { SIZE } from './theme.ts';

const LINE_HEIGHT = 16;

/** The machine that all of it was measured on. */
export function footer(machine: Machine, width: number): Block {
	const lines = wrap(describeMachine(machine), SIZE.small, width);
	return {
		height: lines.length * LINE_HEIGHT,
		markup: lines
			.map((content, index) => text(0, 12 + index * LINE_HEIGHT, content, { class: 'small muted' }))
			.join('\n'),
	};
}

function describeMachine({ cpu, cores, memoryGiB, os, bun, node, redis }: Machine): string {
	const memory = `${Math.round(memoryGiB)} GiB`;
	return `${cpu}, ${cores} cores, ${memory}, ${os}; Bun ${bun}, Node.js ${node}, Redis ${redis}`;
}
