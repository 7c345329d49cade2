import { alternate, type Contender } from '../harness/alternate.ts';
import type { SubjectKind } from '../harness/subject-kind.ts';
import type { Bench } from '../harness/bench.ts';
import { Flow, type FlowPlan } from '../harness/flow.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { type Topology, Testbed } from '../harness/testbed.ts';
import { bareIoredis, orijs, rawBun } from '../harness/subjects.ts';
import type { CaseResult, Sample } from '../report/results.ts';
import type { Benchmark } from './benchmark.ts';

const SIZE = 64;
const MAX_TOPICS_EACH = 100;
/** The processes whose CPU time counts: all except the load process. */
const COUNTED_PROCESSES = ['server', 'publisher', 'redis', 'receiver'];

export const growth: Benchmark = {
	name: 'growth',
	title: 'Growth: CPU time per delivery by number of sockets and topics',
	async run(bench, found) {
		for (const sockets of bench.sizes(1, 10, 100, 1_000, 5_000, 15_000)) {
			const topology: Topology = { clients: Array.from({ length: sockets }, () => ['t']), nodes: 1 };
			const plan = { topics: ['t'], receivers: sockets, size: SIZE, perTurn: 10 };
			const name = 'one topic with all sockets';
			found(await point(bench, [rawBun, orijs], topology, plan, { name, of: 'sockets', value: sockets }));
		}
		for (const nodes of [1, 2] as const) {
			for (const topics of bench.sizes(1, 100, 1_000, 10_000, 100_000)) {
				const names = Array.from({ length: topics }, (_, index) => `t${index}`);
				const topology: Topology = { clients: divided(names), nodes };
				const plan = { topics: names, receivers: 1, size: SIZE, perTurn: 100 };
				const name = nodes === 1 ? 'many topics with one socket each' : 'many topics with one socket each, over Redis';
				const kinds = [nodes === 1 ? rawBun : bareIoredis, orijs] as const;
				found(await point(bench, kinds, topology, plan, { name, of: 'topics', value: topics }));
			}
		}
	},
};

/** Distributes topics over clients, 100 topics for each client. */
function divided(names: readonly string[]): readonly (readonly string[])[] {
	const clients: (readonly string[])[] = [];
	for (let at = 0; at < names.length; at += MAX_TOPICS_EACH) clients.push(names.slice(at, at + MAX_TOPICS_EACH));
	return clients;
}

async function point(
	bench: Bench,
	kinds: readonly [baseline: SubjectKind, ...others: SubjectKind[]],
	topology: Topology,
	plan: FlowPlan,
	{ name, of, value }: { name: string; of: string; value: number },
): Promise<CaseResult> {
	const recorder = new CaseRecorder({
		name,
		unit: 'CPU µs/delivery',
		better: 'lower',
		at: { of, value },
		baseline: kinds[0].name,
	});
	const testbeds: Testbed[] = [];
	for (const kind of bench.selected(kinds, kinds[0])) testbeds.push(await Testbed.open(bench, kind, topology));
	const contenders: Contender[] = [];
	for (const testbed of testbeds) contenders.push(cost(await Flow.prepare(testbed, plan)));
	await alternate(contenders, bench.effort.rounds, recorder);
	await Promise.all(testbeds.map((testbed) => testbed.close()));
	return recorder.result();
}

/** Runs a flow, but measures the CPU time of the servers instead of the throughput. */
function cost(flow: Flow): Contender {
	return {
		subject: flow.subject,
		async round(): Promise<Sample> {
			const sample = await flow.round();
			const value = COUNTED_PROCESSES.reduce((sum, name) => sum + (sample.cpu?.[name] ?? 0), 0);
			return { ...sample, value, more: { 'deliveries/s': sample.value } };
		},
	};
}
