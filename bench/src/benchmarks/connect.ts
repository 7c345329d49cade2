import { alternate, type Contender } from '../harness/alternate.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stage } from '../harness/stage.ts';
import { crossws, orijs, orijsRedis, rawBun, socketIoBun, socketIoNode } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [rawBun, orijs, orijsRedis, crossws, socketIoBun, socketIoNode];
const AT_ONCE = 200;

export const connect: Benchmark = {
	name: 'connect',
	title: 'Connect storm: as many clients as come, each until it is in a topic',
	async run(bench, found) {
		const stages: Stage[] = [];
		for (const kind of bench.chosen(KINDS, rawBun))
			stages.push(await Stage.open(bench, kind, { clients: [[]], nodes: 1 }));
		for (const clients of bench.sizes(1_000, 5_000, 15_000)) {
			const ledger = new Ledger({
				name: 'connections, 200 handshakes under way',
				unit: 'connections/s',
				better: 'higher',
				at: { of: 'connections', value: clients },
				baseline: rawBun.name,
			});
			await alternate(
				stages.map((stage) => storm(stage, clients)),
				bench.fewer(clients > 5_000 ? 1 : 3),
				ledger,
			);
			found(ledger.result());
		}
		await Promise.all(stages.map((stage) => stage.close()));
	},
};

function storm(stage: Stage, clients: number): Contender {
	return {
		subject: stage.kind.name,
		async round(): Promise<Sample> {
			const used = stage.meter();
			const wanted = Array.from({ length: clients }, () => ['lobby']);
			const crowd = await stage.connect(wanted, { atOnce: AT_ONCE });
			const cpu = Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / clients]));
			await crowd.close();
			return { value: clients / (crowd.tookNs / 1e9), delivered: 1, cpu };
		},
	};
}
