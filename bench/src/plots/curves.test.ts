import { expect, test } from 'vitest';
import { curveMarks } from './curve-marks.ts';
import { curveFamilies, curvesOf, type PointCase } from './curves.ts';
import { caseOf, lossy, subject } from './made-up.ts';

function pointAt(value: number, more: Partial<PointCase> = {}): PointCase {
	return { ...caseOf([subject('raw Bun', 10), subject('orijs', 9)]), at: { of: 'sockets', value }, ...more };
}

test('cases with another dimension or unit have a plot of their own', () => {
	const other = pointAt(1, { at: { of: 'nodes', value: 1 } });
	const families = curveFamilies([pointAt(1), pointAt(10), other, pointAt(10, { unit: 'bytes' })]);
	expect(families.map(({ of, unit, cases }) => [of, unit, cases.length])).toEqual([
		['sockets', 'deliveries/s', 2],
		['nodes', 'deliveries/s', 1],
		['sockets', 'bytes', 1],
	]);
});

test('so have cases with two names, where they would be at the same place', () => {
	const families = curveFamilies(['small', 'large'].flatMap((name) => [pointAt(10, { name }), pointAt(1, { name })]));
	expect(families.map(({ name, cases }) => [name, ...cases.map(({ at }) => at.value)])).toEqual([
		['small', 1, 10],
		['large', 1, 10],
	]);
});

test('a curve is broken where its subject did not deliver everything', () => {
	const values = [10, 9, undefined, 7, 6];
	const cases = values.map((value, index) => {
		const peer = value === undefined ? lossy('crossws', 0.5) : subject('crossws', value);
		return pointAt(10 ** index, { subjects: [subject('raw Bun', 10), peer] });
	});
	const curves = curveFamilies(cases).flatMap((family) => curvesOf(family, ['raw Bun', 'crossws']));
	const identity = { x: Number, y: Number };
	const [whole = 0, broken = 0] = curves.map((curve) => curveMarks(curve, identity).split('fill="none"').length - 1);
	expect([whole, broken]).toEqual([1, 2]);
});

test('a peer keeps its style in all plots of a picture', () => {
	const family = curveFamilies([pointAt(1, { subjects: [subject('orijs', 1), subject('ws', 1)] })])[0];
	const styles = family && curvesOf(family, ['orijs', 'crossws', 'ws']).map(({ style, index }) => [style, index]);
	expect(styles).toEqual([
		['own', 0],
		['peer-1', 2],
	]);
});
