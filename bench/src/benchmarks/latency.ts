import type { Bench } from '../harness/bench.ts';
import { Flow } from '../harness/flow.ts';
import { Ledger } from '../harness/ledger.ts';
import { type Latencies, Pulse, type PulsePlan, quantiles } from '../harness/pulse.ts';
import { Stage } from '../harness/stage.ts';
import {
	bareIoredis,
	crosswsRedis,
	jsonEnvelope,
	orijs,
	socketIoBunRedis,
	socketIoBunStreams,
	socketIoNodeRedis,
} from '../harness/subjects.ts';
import type { Sample } from '../report/results.ts';
import type { Benchmark } from './benchmark.ts';

const TOPIC = 't';
const SIZE = 64;
const IDLE_PER_SECOND = 500;
const SECONDS = 2;
/** Those whose hand-off to the runtime can be timed. */
const TIMED = [bareIoredis, jsonEnvelope, orijs];
const PEERS = [crosswsRedis, socketIoBunRedis, socketIoBunStreams, socketIoNodeRedis];

/** What one run of messages says about, as cases of their own. */
const VIEWS = [
	{ way: 'to the hand-off', quantile: 'p50', of: 'toHandOff', target: 1.15 },
	{ way: 'to the hand-off', quantile: 'p99', of: 'toHandOff', target: 1.5 },
	{ way: 'to the client', quantile: 'p50', of: 'toClient' },
	{ way: 'to the client', quantile: 'p99', of: 'toClient' },
] as const;

export const latency: Benchmark = {
	name: 'latency',
	title: 'Latency: from publish on one node, over Redis, to another',
	async run(bench, found) {
		const views = ['at idle', 'at half load'].map((load) =>
			VIEWS.map((view) => ({ view, ledger: ledgerFor(view, load) })),
		);
		for (let generation = 0; generation < bench.effort.generations; generation++) {
			const stages: Stage[] = [];
			for (const kind of bench.chosen([...TIMED, ...PEERS], bareIoredis)) {
				stages.push(
					await Stage.open(bench, kind, { clients: [[TOPIC]], nodes: 2, timesHandOff: TIMED.includes(kind) }),
				);
			}
			// Of all of them, as this compiles their code, too.
			const rates: number[] = [];
			for (const stage of stages) rates.push(await rateOf(stage));
			const halfLoad = (rates[0] as number) / 2;
			for (const [index, perSecond] of [IDLE_PER_SECOND, halfLoad].entries()) {
				await measure(bench, stages, perSecond, views[index] ?? []);
			}
			await Promise.all(stages.map((stage) => stage.close()));
		}
		for (const { ledger } of views.flat()) found(ledger.result());
	},
};

type View = (typeof VIEWS)[number];

function ledgerFor(view: View, load: string): Ledger {
	return new Ledger({
		name: `${load}, ${view.way}, ${view.quantile}`,
		unit: 'µs',
		better: 'lower',
		baseline: bareIoredis.name,
		...('target' in view && { target: { subject: orijs.name, limit: view.target, of: 'ratio' } }),
	});
}

/** How many messages a second this subject can do. */
async function rateOf(stage: Stage): Promise<number> {
	const flow = await Flow.prepare(stage, { topics: [TOPIC], receivers: 1, size: SIZE, perTurn: 100 });
	return (await flow.round()).value;
}

async function measure(
	bench: Bench,
	stages: readonly Stage[],
	perSecond: number,
	views: readonly { readonly view: View; readonly ledger: Ledger }[],
): Promise<void> {
	const seconds = bench.scaled(SECONDS);
	const plan: PulsePlan = { topic: TOPIC, size: SIZE, perSecond, seconds };
	const pulses: (readonly [Stage, Pulse])[] = [];
	for (const stage of stages) {
		const pulse = await Pulse.prepare(stage, plan);
		await pulse.run({ ...plan, seconds: seconds / 3 });
		pulses.push([stage, pulse]);
	}
	for (let round = 0; round < bench.fewer(1); round++) {
		const runs: (readonly [string, Latencies])[] = [];
		for (const [{ kind }, pulse] of pulses) runs.push([kind.name, await pulse.run(plan)]);
		const [[, baseline]] = runs as [[string, Latencies]];
		for (const { view, ledger } of views) {
			for (const [subject, latencies] of runs) {
				if (latencies[view.of].length > 0) ledger.add(subject, sample(latencies, view), sample(baseline, view));
			}
		}
	}
}

function sample(latencies: Latencies, { of, quantile }: View): Sample {
	const more = quantiles(latencies[of]);
	return { value: more[quantile], delivered: latencies.delivered, more };
}
