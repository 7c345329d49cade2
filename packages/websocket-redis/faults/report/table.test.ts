import { expect, it } from 'vitest';
import { runWith } from '../counting/run-fixture.ts';
import { countRun } from '../counting/count-run.ts';
import { rowOf } from './row.ts';
import { table } from './table.ts';

it('is a Markdown table with aligned columns', () => {
	const short = rowOf('short', countRun(runWith()), true);
	const long = rowOf('a longer name', countRun(runWith({ localLatency: 12_345 })), false);
	const [head, rule, ...rows] = table([short, long]).split('\n');
	expect(head).toMatch(/^\| fault +\| sent \|.*\| guarantees \|$/);
	expect(rule).toMatch(/^\| -{13} \| -+: \|.*-: \| -+ \|$/);
	expect(rows).toEqual([
		expect.stringMatching(/^\| short {9}\| {3}10 \|.* 1 \|.*\| kept {7}\|$/),
		expect.stringMatching(/^\| a longer name \| {3}10 \|.* 12,345 \|.*\| BROKEN {5}\|$/),
	]);
	expect(new Set([head, rule, ...rows].map((line) => line?.length)).size).toBe(1);
});
