import type { CaseResult } from '../report/results.ts';
import type { Bench } from './bench.ts';
import { Flow, type FlowPlan } from './flow.ts';
import { alternate } from './alternate.ts';
import { type Comparison, Ledger } from './ledger.ts';
import { type Setting, Stage } from './stage.ts';
import type { SubjectKind } from './subject-kind.ts';

export interface FlowCase {
	readonly plan: FlowPlan;
	readonly comparison: Comparison;
}

/**
 * Measures how many messages go through, case by case, all subjects side by side. Processes of the same program differ in speed by some
 * percent for as long as they live, so all of it is done several times, with new ones.
 */
export async function compareFlows(
	bench: Bench,
	kinds: readonly SubjectKind[],
	setting: Setting,
	cases: readonly FlowCase[],
): Promise<CaseResult[]> {
	const { generations, rounds } = bench.effort;
	const measured = cases.map(({ plan, comparison }) => ({ plan, ledger: new Ledger(comparison) }));
	for (let generation = 0; generation < generations; generation++) {
		const stages: Stage[] = [];
		for (const kind of kinds) stages.push(await Stage.open(bench, kind, setting));
		for (const { plan, ledger } of measured) {
			const flows: Flow[] = [];
			for (const stage of stages) flows.push(await Flow.prepare(stage, plan));
			await alternate(flows, rounds, ledger);
		}
		await Promise.all(stages.map((stage) => stage.close()));
	}
	return measured.map(({ ledger }) => ledger.result());
}
