/** Formats rows of a name and a figure as a table. */
export function table(rows: readonly (readonly [string, number | string])[]): string {
	const cells = rows.map(
		([name, value]) => [name, typeof value === 'number' ? value.toLocaleString('en') : value] as const,
	);
	const names = Math.max(...cells.map(([name]) => name.length));
	const values = Math.max(...cells.map(([, value]) => value.length));
	return cells.map(([name, value]) => `| ${name.padEnd(names)} | ${value.padStart(values)} |`).join('\n');
}
