import type { SubjectKind } from '../harness/subject-kind.ts';
import type { Bench } from '../harness/bench.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { Testbed } from '../harness/testbed.ts';
import { channelEach, crossws, orijs, orijsRedis, rawBun, socketIoBun, socketIoNode } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [rawBun, orijs, orijsRedis, channelEach, crossws, socketIoBun, socketIoNode];
const MAX_CONNECTIONS = 15_000;
const SUBSCRIBERS = 1_000;
const TOPICS_EACH = 100;
const GENERATIONS = 2;

export const memory: Benchmark = {
	name: 'memory',
	title: 'Memory per idle connection and per subscription',
	async run(bench, found) {
		const kinds = bench.selected(KINDS, rawBun);
		for (const connections of bench.sizes(1_000, 5_000, MAX_CONNECTIONS)) {
			const recorder = new CaseRecorder({
				name: 'per idle connection',
				unit: 'bytes',
				better: 'lower',
				at: { of: 'connections', value: connections },
				baseline: rawBun.name,
				...(connections === MAX_CONNECTIONS && { target: { subject: orijs.name, limit: 1.35, of: 'ratio' } }),
			});
			await measure(bench, kinds, recorder, (kind) => perConnection(bench, kind, connections));
			found(recorder.result());
		}
		const recorder = new CaseRecorder({
			name: `per subscription: ${count(bench.upTo(SUBSCRIBERS), 'client')}, ${TOPICS_EACH} topics of their own each`,
			unit: 'bytes',
			better: 'lower',
			baseline: rawBun.name,
		});
		const subscribing = kinds.filter((kind) => kind !== channelEach);
		await measure(bench, subscribing, recorder, (kind) => perSubscription(bench, kind));
		found(recorder.result());
	},
};

async function measure(
	bench: Bench,
	kinds: readonly SubjectKind[],
	recorder: CaseRecorder,
	take: (kind: SubjectKind) => Promise<number>,
): Promise<void> {
	for (let generation = 0; generation < bench.roundsUpTo(GENERATIONS); generation++) {
		let baseline: Sample | undefined;
		for (const kind of kinds) {
			const sample = { value: await take(kind), delivered: 1 };
			baseline ??= sample;
			recorder.add(kind.name, sample, baseline);
		}
	}
}

async function perConnection(bench: Bench, kind: SubjectKind, connections: number): Promise<number> {
	// The first connections cause the allocations that all connections share, so they are not measured.
	const testbed = await Testbed.open(bench, kind, { clients: withoutTopics(10), nodes: 1 });
	const before = await testbed.publisher.ask<number>({ do: 'memory' });
	await testbed.connect(withoutTopics(connections));
	const after = await testbed.publisher.ask<number>({ do: 'memory' });
	await testbed.close();
	return (after - before) / connections;
}

async function perSubscription(bench: Bench, kind: SubjectKind): Promise<number> {
	const clients = bench.upTo(SUBSCRIBERS);
	const testbed = await Testbed.open(bench, kind, { clients: withoutTopics(clients), nodes: 1 });
	const before = await testbed.publisher.ask<number>({ do: 'memory' });
	await testbed.publisher.ask({ do: 'subscribe', clients, topicsEach: TOPICS_EACH });
	const after = await testbed.publisher.ask<number>({ do: 'memory' });
	await testbed.close();
	return (after - before) / (clients * TOPICS_EACH);
}

function withoutTopics(count: number): readonly [][] {
	return Array.from({ length: count }, () => []);
}
