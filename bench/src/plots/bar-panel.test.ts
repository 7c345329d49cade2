import { expect, test } from 'vitest';
import type { CaseResult } from '../report/results.ts';
import { barLayout } from './bar-layout.ts';
import { barPanel } from './bar-panel.ts';
import { caseOf, lossy, subject } from './made-up.ts';

function drawn(one: CaseResult): string {
	return barPanel(one, barLayout([one], 812)).markup;
}

function barWidths(markup: string): number[] {
	return [...markup.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
}

test('bars start at zero: their lengths are in proportion to the medians', () => {
	const [first = 0, second = 0] = barWidths(drawn(caseOf([subject('raw Bun', 200), subject('orijs', 50)])));
	expect(first / second).toBeCloseTo(4, 1);
});

test('a subject that delivered nothing in full has its share and no bar', () => {
	const markup = drawn(caseOf([subject('raw Bun', 200), lossy('socket.io', 0.629)]));
	expect(barWidths(markup)).toHaveLength(1);
	expect(markup).toContain('>socket.io<');
	expect(markup).toContain('>✕ 62 % delivered<');
});

test('a subject that lost something in some rounds has its bar and the share', () => {
	const markup = drawn(caseOf([subject('raw Bun', 200), subject('socket.io', 20, { delivered: 0.9996 })]));
	expect(barWidths(markup)).toHaveLength(2);
	expect(markup).toContain('>delivered<');
	expect(markup).toContain('>✕ 99.9 %<');
});

test('the baseline, this system and its peers differ', () => {
	const markup = drawn(caseOf(['raw Bun', 'orijs, sharded', 'crossws'].map((name) => subject(name, 10))));
	expect([...markup.matchAll(/<g class="(own|baseline|peer)"/g)].map(([, role]) => role)).toEqual([
		'baseline',
		'own',
		'peer',
	]);
});

test('a target beyond all bars is still inside the plot', () => {
	const one = caseOf([subject('raw Bun', 10), subject('orijs', 8)], {
		target: { subject: 'orijs', limit: 4, of: 'ratio' },
	});
	const [, x] = /<line x1="([\d.]+)"[^>]*class="mark" stroke-width="2"/.exec(drawn(one)) ?? [];
	expect(Number(x)).toBeCloseTo(barLayout([one], 812).plot[1], 0);
	expect(drawn(one)).toContain('>target for orijs ≥ 4×<');
});

test('without a baseline value there is no target to draw', () => {
	const one = caseOf([lossy('raw Bun', 0.5), subject('orijs', 8)], {
		target: { subject: 'orijs', limit: 4, of: 'ratio' },
	});
	expect(drawn(one)).not.toContain('target');
});

test('a tail that would press the bars flat ends in an arrow at the end of the plot; its figure is told all the same', () => {
	const more = { p50: 100, p99: 200, 'p99.9': 90_000 };
	const markup = drawn(caseOf([subject('raw Bun', 100, { more })], { unit: 'µs', better: 'lower' }));
	expect(barWidths(markup)[0]).toBeGreaterThan(50);
	expect(markup).toContain('<circle');
	expect(markup).toContain('>90.0 ms<');
	expect(markup).toContain('lower is better');
});
