import { alternate, type Contender } from '../harness/alternate.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stage } from '../harness/stage.ts';
import { orijs, orijsRedis, rawBun, socketIoBun, socketIoBunSharded, socketIoNode } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import type { WorkReport } from '../subjects/requests.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [rawBun, orijs, orijsRedis, socketIoBun, { ...socketIoBunSharded, overRedis: true }, socketIoNode];
const CLIENTS = 1_000;
const TOPICS = 100;
const CYCLES = 20;

export const joinLeave: Benchmark = {
	name: 'join-leave',
	title: 'Join and leave: clients come into topics and go, over and over',
	async run(bench, found) {
		const clients = bench.upTo(CLIENTS);
		const ledger = new Ledger({
			name: `${clients.toLocaleString('en')} clients, each in and out of one of ${TOPICS} topics`,
			unit: 'joins and leaves/s',
			better: 'higher',
			baseline: rawBun.name,
		});
		for (let generation = 0; generation < bench.effort.generations; generation++) {
			const stages: Stage[] = [];
			for (const kind of bench.chosen(KINDS, rawBun)) {
				stages.push(await Stage.open(bench, kind, { clients: Array.from({ length: clients }, () => []), nodes: 1 }));
			}
			const contenders = stages.map((stage) => churn(stage, clients));
			for (const contender of contenders) await contender.round();
			await alternate(contenders, bench.effort.rounds, ledger);
			await Promise.all(stages.map((stage) => stage.close()));
		}
		found(ledger.result());
	},
};

function churn(stage: Stage, clients: number): Contender {
	const topics = Array.from({ length: TOPICS }, (_, index) => `t${index}`);
	const moves = clients * CYCLES * 2;
	return {
		subject: stage.kind.name,
		async round(): Promise<Sample> {
			const used = stage.meter();
			const work = { do: 'churn', clients, topics, rounds: CYCLES } as const;
			const { startedAt, endedAt, failures } = await stage.publisher.ask<WorkReport>(work);
			const cpu = Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / moves]));
			return { value: moves / ((endedAt - startedAt) / 1e9), delivered: 1 - failures / moves, cpu };
		},
	};
}
