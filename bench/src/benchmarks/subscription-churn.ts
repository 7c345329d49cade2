import { alternate, type Contender } from '../harness/alternate.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { Testbed } from '../harness/testbed.ts';
import { orijs, orijsRedis, rawBun, socketIoBun, socketIoBunSharded, socketIoNode } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import type { WorkReport } from '../subjects/requests.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [rawBun, orijs, orijsRedis, socketIoBun, { ...socketIoBunSharded, overRedis: true }, socketIoNode];
const CLIENTS = 1_000;
const TOPICS = 100;
const CYCLES = 20;

export const subscriptionChurn: Benchmark = {
	name: 'subscription-churn',
	title: 'Subscription churn: clients subscribe and unsubscribe, over and over',
	async run(bench, found) {
		const clients = bench.upTo(CLIENTS);
		const recorder = new CaseRecorder({
			name: `${clients.toLocaleString('en')} clients, each subscribing to one of ${TOPICS} topics`,
			unit: 'operations/s',
			better: 'higher',
			baseline: rawBun.name,
		});
		for (let generation = 0; generation < bench.effort.generations; generation++) {
			const testbeds: Testbed[] = [];
			for (const kind of bench.selected(KINDS, rawBun)) {
				testbeds.push(
					await Testbed.open(bench, kind, { clients: Array.from({ length: clients }, () => []), nodes: 1 }),
				);
			}
			const contenders = testbeds.map((testbed) => churn(testbed, clients));
			for (const contender of contenders) await contender.round();
			await alternate(contenders, bench.effort.rounds, recorder);
			await Promise.all(testbeds.map((testbed) => testbed.close()));
		}
		found(recorder.result());
	},
};

function churn(testbed: Testbed, clients: number): Contender {
	const topics = Array.from({ length: TOPICS }, (_, index) => `t${index}`);
	const operations = clients * CYCLES * 2;
	return {
		subject: testbed.kind.name,
		async round(): Promise<Sample> {
			const used = testbed.meter();
			const work = { do: 'churn', clients, topics, rounds: CYCLES } as const;
			const { startedAt, endedAt, failures } = await testbed.publisher.ask<WorkReport>(work);
			const cpu = Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / operations]));
			return { value: operations / ((endedAt - startedAt) / 1e9), delivered: 1 - failures / operations, cpu };
		},
	};
}
