import { element } from './svg.ts';

/** A part of the picture, drawn from its own upper left corner. */
export interface Block {
	readonly height: number;
	readonly markup: string;
}

export function stack(blocks: readonly Block[], gap: number): Block {
	let y = 0;
	const placed = blocks.map(({ height, markup }) => {
		const group = translated(0, y, markup);
		y += height + gap;
		return group;
	});
	return { height: Math.max(0, y - gap), markup: placed.join('\n') };
}

/** Column by column, so that neighbours in the list are beneath each other. */
export function columns(
	blocks: readonly Block[],
	count: number,
	width: number,
	gaps: readonly [number, number],
): Block {
	const [columnGap, rowGap] = gaps;
	const rowCount = Math.ceil(blocks.length / count);
	const rows = Array.from({ length: rowCount }, (_, row): Block => {
		const members = blocks.filter((_block, index) => index % rowCount === row);
		return {
			height: Math.max(...members.map(({ height }) => height)),
			markup: members.map(({ markup }, index) => translated(index * (width + columnGap), 0, markup)).join('\n'),
		};
	});
	return stack(rows, rowGap);
}

export function translated(x: number, y: number, markup: string): string {
	return element('g', { transform: `translate(${Math.round(x)} ${Math.round(y)})` }, markup);
}
