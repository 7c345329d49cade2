import type { CaseResult, Spread, SubjectResult, Target } from './results.ts';

/** Prints a case as a table. */
export function printCase(result: CaseResult): void {
	const { name, unit, better, baseline, target, subjects } = result;
	const heading = [name, `${unit}, ${better} is better`];
	if (target !== undefined) heading.push(describeTarget(target, result));
	console.log(`\n${heading.join('  ·  ')}`);
	const rows = subjects.map((subject) => row(subject, baseline));
	const columns = ['', 'median', 'range', `to ${baseline}`, 'range', 'delivered', 'CPU µs each', 'more'];
	for (const line of aligned([columns, ...rows])) console.log(`  ${line}`);
}

function row({ subject, value, ratio, delivered, cpu, more }: SubjectResult, baseline: string): string[] {
	return [
		subject,
		value === undefined ? '–' : figure(value.median),
		range(value, figure),
		ratio === undefined ? '–' : `${ratio.median.toFixed(2)}×`,
		subject === baseline ? '' : range(ratio, (number) => number.toFixed(2)),
		delivered === 1 ? 'all' : `${(delivered * 100).toFixed(2)} % !`,
		list(cpu),
		list(more),
	];
}

function describeTarget(
	{ subject, limit, of }: Target,
	{ better, unit, subjects }: Pick<CaseResult, 'better' | 'unit' | 'subjects'>,
): string {
	const reached = subjects.find((candidate) => candidate.subject === subject)?.[of]?.median ?? NaN;
	const isMet = better === 'higher' ? reached >= limit : reached <= limit;
	const wanted = of === 'ratio' ? `${limit}×` : `${figure(limit)} ${unit}`;
	return `target: at ${better === 'higher' ? 'least' : 'most'} ${wanted}, ${isMet ? 'met' : 'NOT met'}`;
}

function range(spread: Spread | undefined, format: (value: number) => string): string {
	return spread === undefined ? '' : `${format(spread.min)}–${format(spread.max)}`;
}

function list(figures: Readonly<Record<string, number>> = {}): string {
	return Object.entries(figures)
		.map(([name, value]) => `${name} ${figure(value)}`)
		.join(', ');
}

/** Formats a number with at least three digits, and with thousands separators. */
export function figure(value: number): string {
	const digits = value === 0 ? 0 : Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(Math.abs(value)))));
	return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function aligned(rows: readonly (readonly string[])[]): string[] {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
	return rows.map((cells) =>
		cells
			.map((cell, column) =>
				column === 0 || column > 5 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
			)
			.join('  ')
			.trimEnd(),
	);
}
