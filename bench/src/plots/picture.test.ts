import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BenchmarkResult, CaseResult, SubjectResult } from '../report/results.ts';
import { spread } from './curves.ts';
import { formatRatio, formatTick, formatValue } from './format.ts';
import { drawBenchmark } from './picture.ts';

const RESULTS = new URL('../../results/', import.meta.url);
const machine = { cpu: 'A CPU', cores: 8, memoryGiB: 31, os: 'Linux', bun: '1.4.5', node: '24', redis: '8.2' };

function subject(name: string, median: number, more: Partial<SubjectResult> = {}): SubjectResult {
	return { subject: name, value: { median, min: median * 0.9, max: median * 1.1 }, delivered: 1, rounds: [], ...more };
}

/** Returns a result without any round in which everything was delivered. */
function lossy(name: string, delivered: number): SubjectResult {
	return { subject: name, delivered, rounds: [] };
}

function caseOf(subjects: readonly SubjectResult[], more: Partial<CaseResult> = {}): CaseResult {
	return { name: 'a case', unit: 'deliveries/s', better: 'higher', baseline: 'raw Bun', subjects, ...more };
}

function draw(...cases: readonly CaseResult[]): Promise<string> {
	return drawBenchmark({ name: 'test', title: 'A test', machine, cases });
}

function textsOf(svg: string): string[] {
	return [...svg.matchAll(/<text[^>]*[^/]>([^<]*)</g)].map(([, text = '']) =>
		text.replaceAll('&lt;', '<').replaceAll('&amp;', '&'),
	);
}

/** Returns the lengths of all bars that are not empty. */
function barLengths(svg: string): number[] {
	const bars = /mark-rect role-mark [^"]*"[^>]*>(.*?)<\/g>/.exec(svg)?.[1] ?? '';
	return [...bars.matchAll(/d="M[\d.]+,[\d.]+h([\d.]+)v/g)]
		.map(([, length]) => Number(length))
		.filter((length) => length > 0);
}

describe.each(readdirSync(RESULTS).filter((file) => file.endsWith('.json')))('the picture of %s', (file) => {
	const result = JSON.parse(readFileSync(new URL(file, RESULTS), 'utf8')) as BenchmarkResult;

	it('is the committed one', async () => {
		const committed = readFileSync(new URL(file.replace('.json', '.svg'), RESULTS), 'utf8');
		expect((await drawBenchmark(result)) === committed, `run \`bun run bench:plots\` and commit`).toBe(true);
	});

	it('shows every case and subject with its figures', async () => {
		const texts = new Set(textsOf(await drawBenchmark(result)));
		expect(texts).toContain(result.title);
		for (const { name, unit, at, subjects, baseline } of result.cases) {
			const isLast = result.cases.every((one) => one.name !== name || (one.at?.value ?? 0) <= (at?.value ?? 0));
			expect(texts).toContain(name);
			if (at) expect(texts).toContain(formatTick(at.value, ''));
			for (const one of subjects) {
				expect(texts).toContain(one.subject);
				if (!isLast) continue;
				if (one.value) expect(texts).toContain(formatValue(one.value.median, unit));
				if (one.ratio && one.subject !== baseline) expect(texts).toContain(formatRatio(one.ratio.median));
			}
		}
	});
});

describe('bars', () => {
	it('start at zero: their lengths are in proportion to the medians', async () => {
		const [first = 0, second = 0] = barLengths(await draw(caseOf([subject('raw Bun', 200), subject('orijs', 50)])));
		expect(first / second).toBeCloseTo(4, 5);
	});

	it('show the share delivered instead of a bar where no round was complete', async () => {
		const svg = await draw(caseOf([subject('raw Bun', 200), lossy('socket.io', 0.629)]));
		expect(barLengths(svg)).toHaveLength(1);
		expect(textsOf(svg)).toEqual(expect.arrayContaining(['socket.io', '✕ 62.9 % delivered']));
	});

	it('show the share delivered beside a bar where some rounds were incomplete', async () => {
		const svg = await draw(caseOf([subject('raw Bun', 200), subject('socket.io', 20, { delivered: 0.9996 })]));
		expect(barLengths(svg)).toHaveLength(2);
		expect(textsOf(svg)).toContain('✕ 99.9 % delivered');
	});

	it('leave room for a target beyond them', async () => {
		const target = { subject: 'orijs', limit: 4, of: 'ratio' } as const;
		const svg = await draw(caseOf([subject('raw Bun', 10), subject('orijs', 8)], { target }));
		const [first = 0] = barLengths(svg);
		const [, x = ''] = /<line transform="translate\(([\d.]+),[\d.]+\)"[^>]*stroke="#c2410c"/.exec(svg) ?? [];
		expect(Number(x) - 190).toBeCloseTo(first * 4, 5);
		expect(textsOf(svg)).toContain('target for orijs: ≥ 4×');
	});

	it('have no target where the baseline has no value', async () => {
		const target = { subject: 'orijs', limit: 4, of: 'ratio' } as const;
		const texts = textsOf(await draw(caseOf([lossy('raw Bun', 0.5), subject('orijs', 8)], { target })));
		expect(texts.filter((text) => text.startsWith('target'))).toEqual([]);
	});

	it('have a column for each percentile', async () => {
		const more = { p50: 100, p99: 200, 'p99.9': 90_000 };
		const texts = textsOf(await draw(caseOf([subject('raw Bun', 100, { more })], { unit: 'µs', better: 'lower' })));
		expect(texts).toEqual(expect.arrayContaining(['p50', '100 µs', 'p99', '200 µs', 'p99.9', '90.0 ms']));
	});
});

describe('curves', () => {
	it('are broken where a subject did not deliver everything', async () => {
		const cases = [10, 9, undefined, 7, 6].map((median, index) => {
			const peer = median === undefined ? lossy('crossws', 0.5) : subject('crossws', median);
			return caseOf([subject('raw Bun', 10), peer], { at: { of: 'sockets', value: 10 ** index } });
		});
		const svg = await draw(...cases);
		const lines = [...svg.matchAll(/mark-line role-mark[^>]*>.*?d="([^"]*)"/g)].map(
			([, path = '']) => path.split('M').length - 1,
		);
		expect(lines).toEqual([1, 2]);
		expect(textsOf(svg)).toContain('✕ 50 %');
	});

	it('have a panel for each kind of work', async () => {
		const cases = ['small', 'large'].flatMap((name) =>
			[1, 10].map((value) => caseOf([subject('raw Bun', value)], { name, at: { of: 'sockets', value } })),
		);
		expect(textsOf(await draw(...cases)).filter((text) => ['small', 'large'].includes(text))).toEqual([
			'small',
			'large',
		]);
	});

	it('have labels that do not overlap and stay within the plot', () => {
		expect(spread([10, 12, 50], 17, 200)).toEqual([10, 27, 50]);
		expect(spread([190, 195, 198], 17, 200)).toEqual([166, 183, 200]);
	});
});

it('draws nothing at NaN or infinity when there are no values', async () => {
	const nothing = caseOf([lossy('raw Bun', 0)]);
	const growth = [0, 10].map((value) => ({ ...nothing, at: { of: 'sockets', value } }));
	expect(await draw(nothing, ...growth)).not.toMatch(/NaN|Infinity|undefined/);
});
