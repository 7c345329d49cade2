import type { SubjectKind } from '../harness/subject-kind.ts';
import type { Bench } from '../harness/bench.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stage } from '../harness/stage.ts';
import { channelEach, crossws, orijs, orijsRedis, rawBun, socketIoBun, socketIoNode } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [rawBun, orijs, orijsRedis, channelEach, crossws, socketIoBun, socketIoNode];
const MOST = 15_000;
const MEMBERS = 1_000;
const TOPICS_EACH = 100;
const GENERATIONS = 2;

export const memory: Benchmark = {
	name: 'memory',
	title: 'Memory: what a connection and a subscription take, idle',
	async run(bench, found) {
		const kinds = bench.chosen(KINDS, rawBun);
		for (const connections of bench.sizes(1_000, 5_000, MOST)) {
			const ledger = new Ledger({
				name: 'per idle connection',
				unit: 'bytes',
				better: 'lower',
				at: { of: 'connections', value: connections },
				baseline: rawBun.name,
				...(connections === MOST && { target: { subject: orijs.name, limit: 1.35, of: 'ratio' } }),
			});
			await measure(bench, kinds, ledger, (kind) => perConnection(bench, kind, connections));
			found(ledger.result());
		}
		const ledger = new Ledger({
			name: `per subscription, ${TOPICS_EACH} topics of its own for each of ${count(bench.upTo(MEMBERS), 'client')}`,
			unit: 'bytes',
			better: 'lower',
			baseline: rawBun.name,
		});
		const joining = kinds.filter((kind) => kind !== channelEach);
		await measure(bench, joining, ledger, (kind) => perSubscription(bench, kind));
		found(ledger.result());
	},
};

async function measure(
	bench: Bench,
	kinds: readonly SubjectKind[],
	ledger: Ledger,
	take: (kind: SubjectKind) => Promise<number>,
): Promise<void> {
	for (let generation = 0; generation < bench.fewer(GENERATIONS); generation++) {
		let baseline: Sample | undefined;
		for (const kind of kinds) {
			const sample = { value: await take(kind), delivered: 1 };
			baseline ??= sample;
			ledger.add(kind.name, sample, baseline);
		}
	}
}

async function perConnection(bench: Bench, kind: SubjectKind, connections: number): Promise<number> {
	// The first connections pay for what all share.
	const stage = await Stage.open(bench, kind, { clients: nobodys(10), nodes: 1 });
	const before = await stage.publisher.ask<number>({ do: 'memory' });
	await stage.connect(nobodys(connections));
	const after = await stage.publisher.ask<number>({ do: 'memory' });
	await stage.close();
	return (after - before) / connections;
}

async function perSubscription(bench: Bench, kind: SubjectKind): Promise<number> {
	const clients = bench.upTo(MEMBERS);
	const stage = await Stage.open(bench, kind, { clients: nobodys(clients), nodes: 1 });
	const before = await stage.publisher.ask<number>({ do: 'memory' });
	await stage.publisher.ask({ do: 'subscribe', clients, topicsEach: TOPICS_EACH });
	const after = await stage.publisher.ask<number>({ do: 'memory' });
	await stage.close();
	return (after - before) / (clients * TOPICS_EACH);
}

function nobodys(count: number): readonly [][] {
	return Array.from({ length: count }, () => []);
}
