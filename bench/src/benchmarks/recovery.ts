import { alternate, type Contender } from '../harness/alternate.ts';
import { Ledger } from '../harness/ledger.ts';
import { Stage } from '../harness/stage.ts';
import { historyByHand, orijsHistory } from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import { count } from '../report/words.ts';
import type { Benchmark } from './benchmark.ts';

const KINDS = [historyByHand, orijsHistory];
const CLIENTS = 1_000;
const AT_ONCE = 200;
const STORED = 500;
const TOPIC = 't0';
const STALL_MS = 3_000;

export const recovery: Benchmark = {
	name: 'recovery',
	title: 'Recovery: all clients come back at once and get what they missed',
	async run(bench, found) {
		const clients = bench.upTo(CLIENTS);
		const ledgers = bench.sizes(10, 100, STORED).map((missed) => ({
			missed,
			ledger: new Ledger({
				name: `${count(clients, 'client')}, 200 handshakes under way`,
				unit: 'messages/s',
				better: 'higher',
				at: { of: 'messages missed by each', value: missed },
				baseline: historyByHand.name,
			}),
		}));
		for (let generation = 0; generation < bench.effort.generations; generation++) {
			const stages: Stage[] = [];
			for (const kind of bench.chosen(KINDS, historyByHand)) {
				const stage = await Stage.open(bench, { ...kind, overRedis: true }, { clients: [[TOPIC]], nodes: 1 });
				await store(stage);
				stages.push(stage);
			}
			for (const { missed, ledger } of ledgers) {
				const returns: Contender[] = [];
				for (const stage of stages) returns.push(await comingBack(stage, clients, missed));
				await alternate(returns, bench.fewer(3), ledger);
			}
			await Promise.all(stages.map((stage) => stage.close()));
		}
		for (const { ledger } of ledgers) found(ledger.result());
	},
};

async function store({ publisher, crowd }: Stage): Promise<void> {
	const work = { count: STORED, topics: [TOPIC], size: 64, perTurn: 100, wireBytes: 0, windowBytes: 1 };
	await publisher.ask({ do: 'publish', ...work });
	await crowd.response();
}

/** A first client shows what each of them gets: the same bytes. */
async function comingBack(stage: Stage, clients: number, missed: number): Promise<Contender> {
	const query = `?rewind=${missed}`;
	const first = await stage.connect([[TOPIC]], { query });
	const { bytes: each } = await first.quiet();
	await first.close();
	return {
		subject: stage.kind.name,
		async round(): Promise<Sample> {
			const used = stage.meter();
			const wanted = Array.from({ length: clients }, () => [TOPIC]);
			const crowd = await stage.connect(wanted, { atOnce: AT_ONCE, query });
			const { bytes, lastAt } = await crowd.arrival({ bytes: clients * each, stallMs: STALL_MS });
			const messages = clients * missed;
			const cpu = Object.fromEntries(Object.entries(used()).map(([name, ns]) => [name, ns / 1e3 / messages]));
			await crowd.close();
			return {
				value: messages / ((lastAt - crowd.startedAt) / 1e9),
				delivered: bytes / (clients * each),
				cpu,
			};
		},
	};
}
