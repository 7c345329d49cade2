import { alternate, type Contender } from '../harness/alternate.ts';
import type { SubjectKind } from '../harness/subject-kind.ts';
import type { Bench } from '../harness/bench.ts';
import { Flow, type FlowPlan } from '../harness/flow.ts';
import { Ledger } from '../harness/ledger.ts';
import { type Setting, Stage } from '../harness/stage.ts';
import { bareIoredis, orijs, rawBun } from '../harness/subjects.ts';
import type { CaseResult, Sample } from '../report/results.ts';
import type { Benchmark } from './benchmark.ts';

const SIZE = 64;
const MOST_TOPICS_EACH = 100;
/** The load side is no part of the cost. */
const PAYING = ['server', 'publisher', 'redis', 'receiver'];

export const growth: Benchmark = {
	name: 'growth',
	title: 'Growth: processor time per delivery as sockets and topics become many',
	async run(bench, found) {
		for (const sockets of bench.sizes(1, 10, 100, 1_000, 5_000, 15_000)) {
			const setting: Setting = { clients: Array.from({ length: sockets }, () => ['t']), nodes: 1 };
			const plan = { topics: ['t'], receivers: sockets, size: SIZE, perTurn: 10 };
			const name = 'one topic, all sockets in it';
			found(await point(bench, [rawBun, orijs], setting, plan, { name, of: 'sockets', value: sockets }));
		}
		for (const nodes of [1, 2] as const) {
			for (const topics of bench.sizes(1, 100, 1_000, 10_000, 100_000)) {
				const names = Array.from({ length: topics }, (_, index) => `t${index}`);
				const setting: Setting = { clients: divided(names), nodes };
				const plan = { topics: names, receivers: 1, size: SIZE, perTurn: 100 };
				const name = nodes === 1 ? 'many topics with one socket each' : 'many topics with one socket each, over Redis';
				const kinds = [nodes === 1 ? rawBun : bareIoredis, orijs] as const;
				found(await point(bench, kinds, setting, plan, { name, of: 'topics', value: topics }));
			}
		}
	},
};

/** A client for every 100 names. */
function divided(names: readonly string[]): readonly (readonly string[])[] {
	const clients: (readonly string[])[] = [];
	for (let at = 0; at < names.length; at += MOST_TOPICS_EACH) clients.push(names.slice(at, at + MOST_TOPICS_EACH));
	return clients;
}

async function point(
	bench: Bench,
	kinds: readonly [baseline: SubjectKind, ...others: SubjectKind[]],
	setting: Setting,
	plan: FlowPlan,
	{ name, of, value }: { name: string; of: string; value: number },
): Promise<CaseResult> {
	const ledger = new Ledger({
		name,
		unit: 'CPU µs/delivery',
		better: 'lower',
		at: { of, value },
		baseline: kinds[0].name,
	});
	const stages: Stage[] = [];
	for (const kind of bench.chosen(kinds, kinds[0])) stages.push(await Stage.open(bench, kind, setting));
	const contenders: Contender[] = [];
	for (const stage of stages) contenders.push(cost(await Flow.prepare(stage, plan)));
	await alternate(contenders, bench.effort.rounds, ledger);
	await Promise.all(stages.map((stage) => stage.close()));
	return ledger.result();
}

/** The same work, with the processor time of the servers as its value. */
function cost(flow: Flow): Contender {
	return {
		subject: flow.subject,
		async round(): Promise<Sample> {
			const sample = await flow.round();
			const value = PAYING.reduce((sum, name) => sum + (sample.cpu?.[name] ?? 0), 0);
			return { ...sample, value, more: { 'deliveries/s': sample.value } };
		},
	};
}
