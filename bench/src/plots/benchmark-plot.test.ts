import { expect, test } from 'vitest';
import type { BenchmarkResult } from '../report/results.ts';
import { plotBenchmark } from './benchmark-plot.ts';
import { caseOf, lossy, subject } from './made-up.ts';

const machine = { cpu: 'A CPU', cores: 8, memoryGiB: 31.2, os: 'Linux', bun: '1.4.5', node: '24', redis: '8.2' };

const result: BenchmarkResult = {
	name: 'made-up',
	title: 'Sockets <1000> & more',
	machine,
	cases: [
		caseOf([subject('raw Bun', 10), subject('orijs', 9), lossy('crossws', 0.5)]),
		...[1, 10].map((value) =>
			caseOf([subject('raw Bun', 1024), subject('orijs', 2048), lossy('crossws', 0)], {
				name: 'memory',
				unit: 'bytes',
				better: 'lower',
				at: { of: 'sockets', value },
			}),
		),
	],
};

test('the picture says in words what it shows', () => {
	const [, description = ''] = /<desc[^>]*>(.*)<\/desc>/.exec(plotBenchmark(result)) ?? [];
	expect(description).toContain('a case (deliveries/s, higher is better): raw Bun 10.0/s, baseline; orijs 9.00/s;');
	expect(description).toContain('crossws 50 % delivered');
	expect(description).toContain('memory at 10 sockets (bytes, lower is better): raw Bun 1.00 KiB');
});

test('text is escaped', () => {
	expect(plotBenchmark(result)).toContain('>Sockets &lt;1000&gt; &amp; more<');
});

test('every number is one: nothing is drawn at NaN or infinity', () => {
	const nothing = caseOf([lossy('raw Bun', 0)]);
	const growth = [0, 10].map((value) => ({ ...nothing, at: { of: 'sockets', value } }));
	for (const cases of [result.cases, [nothing], growth]) {
		expect(plotBenchmark({ ...result, cases })).not.toMatch(/NaN|Infinity|undefined/);
	}
});
