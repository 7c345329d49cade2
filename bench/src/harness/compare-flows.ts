import type { CaseResult } from '../report/results.ts';
import type { Bench } from './bench.ts';
import { Flow, type FlowPlan } from './flow.ts';
import { alternate } from './alternate.ts';
import { type Comparison, CaseRecorder } from './case-recorder.ts';
import { type Topology, Testbed } from './testbed.ts';
import type { SubjectKind } from './subject-kind.ts';

export interface FlowCase {
	readonly plan: FlowPlan;
	readonly comparison: Comparison;
}

/**
 * Measures message throughput case by case, with all subjects side by side. Two processes of the same program differ in
 * speed by a few percent throughout their lives, so everything is repeated with new processes.
 */
export async function compareFlows(
	bench: Bench,
	kinds: readonly SubjectKind[],
	topology: Topology,
	cases: readonly FlowCase[],
): Promise<CaseResult[]> {
	const { generations, rounds } = bench.effort;
	const measured = cases.map(({ plan, comparison }) => ({ plan, recorder: new CaseRecorder(comparison) }));
	for (let generation = 0; generation < generations; generation++) {
		const testbeds: Testbed[] = [];
		for (const kind of kinds) testbeds.push(await Testbed.open(bench, kind, topology));
		for (const { plan, recorder } of measured) {
			const flows: Flow[] = [];
			for (const testbed of testbeds) flows.push(await Flow.prepare(testbed, plan));
			await alternate(flows, rounds, recorder);
		}
		await Promise.all(testbeds.map((testbed) => testbed.close()));
	}
	return measured.map(({ recorder }) => recorder.result());
}
