import { alternate, type Contender } from '../harness/alternate.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { Testbed } from '../harness/testbed.ts';
import { crossws, orijs, orijsRedis, rawBun, socketIoBun, socketIoNode } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [rawBun, orijs, orijsRedis, crossws, socketIoBun, socketIoNode];
const CONCURRENCY = 200;

export const connect: Benchmark = {
	name: 'connect',
	title: 'Connect storm: many clients connect at once and subscribe to a topic',
	async run(bench, found) {
		const testbeds: Testbed[] = [];
		for (const kind of bench.selected(KINDS, rawBun))
			testbeds.push(await Testbed.open(bench, kind, { clients: [[]], nodes: 1 }));
		for (const clients of bench.sizes(1_000, 5_000, 15_000)) {
			const recorder = new CaseRecorder({
				name: '200 concurrent handshakes',
				unit: 'connections/s',
				better: 'higher',
				at: { of: 'connections', value: clients },
				baseline: rawBun.name,
			});
			await alternate(
				testbeds.map((testbed) => storm(testbed, clients)),
				bench.roundsUpTo(clients > 5_000 ? 1 : 3),
				recorder,
			);
			found(recorder.result());
		}
		await Promise.all(testbeds.map((testbed) => testbed.close()));
	},
};

function storm(testbed: Testbed, clients: number): Contender {
	return {
		subject: testbed.kind.name,
		async round(): Promise<Sample> {
			const used = testbed.meter();
			const wanted = Array.from({ length: clients }, () => ['lobby']);
			const group = await testbed.connect(wanted, { concurrency: CONCURRENCY });
			const cpu = Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / clients]));
			await group.close();
			return { value: clients / (group.tookNs / 1e9), delivered: 1, cpu };
		},
	};
}
