import { alternate } from '../harness/alternate.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { Testbed } from '../harness/testbed.ts';
import { orijs, rawBun, socketIoBun, socketIoNode } from '../harness/subjects.ts';
import { ASYNC_REQUEST, type SubjectKind, UNVALIDATED_REQUEST } from '../harness/subject-kind.ts';
import { RequestFlow } from '../harness/request-flow.ts';
import type { Bench } from '../harness/bench.ts';
import type { CaseResult } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

export const inbound: Benchmark = {
	name: 'inbound',
	title: 'Inbound: parse, validate, route and answer a message',
	async run(bench, found) {
		const all = [rawBun, orijs, socketIoBun, socketIoNode];
		found(await compare(bench, 'synchronous handlers', all));
		found(await compare(bench, 'async handlers', [rawBun, orijs], ASYNC_REQUEST));
		found(await compare(bench, 'baseline does not validate replies', [rawBun, orijs], UNVALIDATED_REQUEST));
	},
};

/**
 * Compares the subjects. @param request the request to send; default: the one that each subject handles synchronously
 */
async function compare(
	bench: Bench,
	how: string,
	kinds: readonly SubjectKind[],
	request?: string,
): Promise<CaseResult> {
	const clients = bench.upTo(100);
	const recorder = new CaseRecorder({
		name: `${count(clients, 'client')}, 8 requests in flight each, ${how}`,
		unit: 'requests/s',
		better: 'higher',
		baseline: rawBun.name,
		target: { subject: orijs.name, limit: 0.85, of: 'ratio' },
	});
	for (let generation = 0; generation < bench.effort.generations; generation++) {
		const testbeds: Testbed[] = [];
		for (const kind of bench.selected(kinds, rawBun)) {
			testbeds.push(await Testbed.open(bench, kind, { clients: Array.from({ length: clients }, () => []), nodes: 1 }));
		}
		const flows: RequestFlow[] = [];
		for (const testbed of testbeds) flows.push(await RequestFlow.prepare(testbed, clients, request));
		await alternate(flows, bench.effort.rounds, recorder);
		await Promise.all(testbeds.map((testbed) => testbed.close()));
	}
	return recorder.result();
}
