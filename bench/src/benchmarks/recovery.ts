import { alternate, type Contender } from '../harness/alternate.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { Testbed } from '../harness/testbed.ts';
import { historyByHand, orijsHistory } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [historyByHand, orijsHistory];
const CLIENTS = 1_000;
const CONCURRENCY = 200;
const STORED = 500;
const TOPIC = 't0';
const STALL_MS = 3_000;

export const recovery: Benchmark = {
	name: 'recovery',
	title: 'Recovery: all clients reconnect at once and receive what they missed',
	async run(bench, found) {
		const clients = bench.upTo(CLIENTS);
		const recorders = bench.sizes(10, 100, STORED).map((missed) => ({
			missed,
			recorder: new CaseRecorder({
				name: `${count(clients, 'client')}, 200 concurrent handshakes`,
				unit: 'messages/s',
				better: 'higher',
				at: { of: 'messages missed per client', value: missed },
				baseline: historyByHand.name,
			}),
		}));
		for (let generation = 0; generation < bench.effort.generations; generation++) {
			const testbeds: Testbed[] = [];
			for (const kind of bench.selected(KINDS, historyByHand)) {
				const testbed = await Testbed.open(bench, { ...kind, overRedis: true }, { clients: [[TOPIC]], nodes: 1 });
				await store(testbed);
				testbeds.push(testbed);
			}
			for (const { missed, recorder } of recorders) {
				const contenders: Contender[] = [];
				for (const testbed of testbeds) contenders.push(await reconnect(testbed, clients, missed));
				await alternate(contenders, bench.roundsUpTo(3), recorder);
			}
			await Promise.all(testbeds.map((testbed) => testbed.close()));
		}
		for (const { recorder } of recorders) found(recorder.result());
	},
};

async function store({ publisher, group }: Testbed): Promise<void> {
	const work = { count: STORED, topics: [TOPIC], size: 64, perTurn: 100, wireBytes: 0, windowBytes: 1 };
	await publisher.ask({ do: 'publish', ...work });
	await group.response();
}

/** Connects a single client first, to find out how many bytes each client receives. */
async function reconnect(testbed: Testbed, clients: number, missed: number): Promise<Contender> {
	const query = `?rewind=${missed}`;
	const first = await testbed.connect([[TOPIC]], { query });
	const { bytes: each } = await first.drain();
	await first.close();
	return {
		subject: testbed.kind.name,
		async round(): Promise<Sample> {
			const used = testbed.meter();
			const wanted = Array.from({ length: clients }, () => [TOPIC]);
			const group = await testbed.connect(wanted, { concurrency: CONCURRENCY, query });
			const { bytes, lastAt } = await group.waitForBytes({ bytes: clients * each, stallMs: STALL_MS });
			const messages = clients * missed;
			const cpu = Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / messages]));
			await group.close();
			return {
				value: messages / ((lastAt - group.startedAt) / 1e9),
				delivered: bytes / (clients * each),
				cpu,
			};
		},
	};
}
