import type { CaseResult, SubjectResult } from '../report/results.ts';
import { roleOf } from './role.ts';
import { PEER_COLOURS } from './theme.ts';

/** A case that is a point on curves. */
export type PointCase = CaseResult & { readonly at: NonNullable<CaseResult['at']> };

/** Cases whose points share one plot. */
export interface CurveFamily {
	readonly name: string;
	readonly unit: string;
	readonly better: CaseResult['better'];
	/** The dimension of the growth. */
	readonly of: string;
	readonly cases: readonly PointCase[];
}

export interface Curve {
	readonly subject: string;
	/** Of a role, or of one peer among others: what it is coloured by. */
	readonly style: string;
	/** Its place among all subjects of the picture, for the shape of its points. */
	readonly index: number;
	readonly points: readonly { readonly x: number; readonly result: SubjectResult }[];
}

export function isPoint(one: CaseResult): one is PointCase {
	return one.at !== undefined;
}

/** By dimension and unit; by name as well, where these would hold two points for one place. */
export function curveFamilies(cases: readonly PointCase[]): CurveFamily[] {
	const byAxes = Map.groupBy(cases, ({ at, unit, better }) => JSON.stringify([at.of, unit, better]));
	return [...byAxes.values()].flatMap((members) => {
		const places = new Set(members.map(({ at }) => at.value));
		if (places.size === members.length) return family(members);
		return [...Map.groupBy(members, ({ name }) => name).values()].flatMap(family);
	});
}

/** Subjects in the order and with the styles they have in `everySubject`. */
export function curvesOf({ cases }: CurveFamily, everySubject: readonly string[]): Curve[] {
	const baseline = cases[0]?.baseline ?? '';
	const peers = everySubject.filter((subject) => roleOf(subject, baseline) === 'peer');
	return everySubject.flatMap((subject, index) => {
		const role = roleOf(subject, baseline);
		const points = cases.flatMap(({ at, subjects }) => {
			const result = subjects.find((one) => one.subject === subject);
			return result ? { x: at.value, result } : [];
		});
		const style = role === 'peer' ? `peer-${peers.indexOf(subject) % PEER_COLOURS}` : role;
		return points.length > 0 ? { subject, style, index, points } : [];
	});
}

function family(members: readonly PointCase[]): CurveFamily[] {
	const [first] = members;
	if (!first) return [];
	const { unit, better, at } = first;
	const isOneName = members.every(({ name }) => name === first.name);
	const cases = members.toSorted((left, right) => left.at.value - right.at.value);
	return [{ name: isOneName ? first.name : `by ${at.of}`, unit, better, of: at.of, cases }];
}
