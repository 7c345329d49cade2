import { type FaultRow, HEADINGS } from './row.ts';

/** Formats rows as a Markdown table with aligned columns, which is readable in a terminal, too. */
export function table(rows: readonly FaultRow[]): string {
	const lines = [HEADINGS, ...rows.map(cellsOf)];
	const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
	const isText = (column: number): boolean => column === 0 || column === HEADINGS.length - 1;
	const line = (cells: readonly string[]): string =>
		`| ${cells.map((cell, column) => (isText(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
	const rule = widths.map((width, column) => (isText(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
	const [head = [], ...body] = lines;
	return [line(head), `| ${rule.join(' | ')} |`, ...body.map(line)].join('\n');
}

function cellsOf({ fault, cells, kept }: FaultRow): string[] {
	return [fault, ...cells.map((cell) => cell.toLocaleString('en')), kept ? 'kept' : 'BROKEN'];
}
