import type { Attack } from './attack.ts';
import type { Measured } from './measure.ts';

const HEAD = ['', 's', 'sent', 'memory, MiB', 'processor, %', 'log', 'slowest answer, ms'];
const WIDTHS = [22, 5, 10, 18, 14, 9, 18];

export function printHead(): void {
	console.log('Before the attack → during it (for memory and answers, the maximum) → after it\n');
	console.log(HEAD.map((text, i) => cell(text, i)).join('  '));
}

export function printResult({ name, title }: Attack, result: Measured): void {
	const { seconds, sentBytes, memory, cpu, logBytes, slowest, notes, broken } = result;
	const percent = (share: number): number => share * 100;
	const cells = [
		name,
		seconds.toFixed(0),
		size(sentBytes),
		arrows([memory.before, memory.peak, memory.after]),
		arrows([cpu.before, cpu.during, cpu.after].map(percent)),
		size(logBytes),
		arrows([slowest.before, slowest.during, slowest.after]),
	];
	console.log(cells.map((text, i) => cell(text, i)).join('  '));
	console.log(`  ${[title, ...notes].join('; ')}`);
	for (const sentence of broken) console.log(`  BROKEN: ${sentence}`);
}

function cell(text: string, column: number): string {
	const width = WIDTHS[column] ?? 0;
	return column === 0 ? text.padEnd(width) : text.padStart(width);
}

function arrows(values: readonly number[]): string {
	return values.map((value) => value.toFixed(0)).join(' → ');
}

function size(bytes: number): string {
	if (bytes < 10_000) return `${bytes} B`;
	return bytes < 10 * 2 ** 20 ? `${(bytes / 1_024).toFixed(0)} KiB` : `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}
