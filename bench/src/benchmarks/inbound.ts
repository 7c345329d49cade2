import { alternate } from '../harness/alternate.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stage } from '../harness/stage.ts';
import { orijs, rawBun, socketIoBun, socketIoNode } from '../harness/subjects.ts';
import { LATER_REQUEST, type SubjectKind, UNCHECKED_REQUEST } from '../harness/subject-kind.ts';
import { Talk } from '../harness/talk.ts';
import type { Bench } from '../harness/bench.ts';
import type { CaseResult } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

export const inbound: Benchmark = {
	name: 'inbound',
	title: 'Inbound: a message is parsed, validated, routed and answered',
	async run(bench, found) {
		const all = [rawBun, orijs, socketIoBun, socketIoNode];
		found(await compare(bench, 'answered at once', all));
		found(await compare(bench, 'answered by async handlers', [rawBun, orijs], LATER_REQUEST));
		found(await compare(bench, 'answers not validated by hand', [rawBun, orijs], UNCHECKED_REQUEST));
	},
};

/** @param request what is asked; default: what each subject answers at once */
async function compare(
	bench: Bench,
	how: string,
	kinds: readonly SubjectKind[],
	request?: string,
): Promise<CaseResult> {
	const clients = bench.upTo(100);
	const ledger = new Ledger({
		name: `${count(clients, 'client')}, 8 requests under way each, ${how}`,
		unit: 'requests/s',
		better: 'higher',
		baseline: rawBun.name,
		target: { subject: orijs.name, limit: 0.85, of: 'ratio' },
	});
	for (let generation = 0; generation < bench.effort.generations; generation++) {
		const stages: Stage[] = [];
		for (const kind of bench.chosen(kinds, rawBun)) {
			stages.push(await Stage.open(bench, kind, { clients: Array.from({ length: clients }, () => []), nodes: 1 }));
		}
		const talks: Talk[] = [];
		for (const stage of stages) talks.push(await Talk.prepare(stage, clients, request));
		await alternate(talks, bench.effort.rounds, ledger);
		await Promise.all(stages.map((stage) => stage.close()));
	}
	return ledger.result();
}
