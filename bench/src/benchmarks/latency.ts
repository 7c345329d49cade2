import type { Bench } from '../harness/bench.ts';
import { Flow } from '../harness/flow.ts';
import { CaseRecorder } from '../harness/case-recorder.ts';
import { type Latencies, PacedStream, type PacedPlan, quantiles } from '../harness/paced-stream.ts';
import { Testbed } from '../harness/testbed.ts';
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
/** The subjects whose hand-off to the runtime can be timed. */
const TIMED = [bareIoredis, jsonEnvelope, orijs];
const PEERS = [crosswsRedis, socketIoBunRedis, socketIoBunStreams, socketIoNodeRedis];

/** The cases that one run of messages measures. */
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
			VIEWS.map((view) => ({ view, recorder: recorderFor(view, load) })),
		);
		for (let generation = 0; generation < bench.effort.generations; generation++) {
			const testbeds: Testbed[] = [];
			for (const kind of bench.selected([...TIMED, ...PEERS], bareIoredis)) {
				testbeds.push(
					await Testbed.open(bench, kind, { clients: [[TOPIC]], nodes: 2, timesHandOff: TIMED.includes(kind) }),
				);
			}
			// Only the first rate is used, but measuring the rate of every testbed also warms up its code.
			const rates: number[] = [];
			for (const testbed of testbeds) rates.push(await rateOf(testbed));
			const halfLoad = (rates[0] as number) / 2;
			for (const [index, perSecond] of [IDLE_PER_SECOND, halfLoad].entries()) {
				await measure(bench, testbeds, perSecond, views[index] ?? []);
			}
			await Promise.all(testbeds.map((testbed) => testbed.close()));
		}
		for (const { recorder } of views.flat()) found(recorder.result());
	},
};

type View = (typeof VIEWS)[number];

function recorderFor(view: View, load: string): CaseRecorder {
	return new CaseRecorder({
		name: `${load}, ${view.way}, ${view.quantile}`,
		unit: 'µs',
		better: 'lower',
		baseline: bareIoredis.name,
		...('target' in view && { target: { subject: orijs.name, limit: view.target, of: 'ratio' } }),
	});
}

/** Measures the maximum throughput of a subject, in messages per second. */
async function rateOf(testbed: Testbed): Promise<number> {
	const flow = await Flow.prepare(testbed, { topics: [TOPIC], receivers: 1, size: SIZE, perTurn: 100 });
	return (await flow.round()).value;
}

async function measure(
	bench: Bench,
	testbeds: readonly Testbed[],
	perSecond: number,
	views: readonly { readonly view: View; readonly recorder: CaseRecorder }[],
): Promise<void> {
	const seconds = bench.scaled(SECONDS);
	const plan: PacedPlan = { topic: TOPIC, size: SIZE, perSecond, seconds };
	const streams: (readonly [Testbed, PacedStream])[] = [];
	for (const testbed of testbeds) {
		const stream = await PacedStream.prepare(testbed, plan);
		await stream.run({ ...plan, seconds: seconds / 3 });
		streams.push([testbed, stream]);
	}
	for (let round = 0; round < bench.roundsUpTo(1); round++) {
		const runs: (readonly [string, Latencies])[] = [];
		for (const [{ kind }, stream] of streams) runs.push([kind.name, await stream.run(plan)]);
		const [[, baseline]] = runs as [[string, Latencies]];
		for (const { view, recorder } of views) {
			for (const [subject, latencies] of runs) {
				if (latencies[view.of].length > 0) recorder.add(subject, sample(latencies, view), sample(baseline, view));
			}
		}
	}
}

function sample(latencies: Latencies, { of, quantile }: View): Sample {
	const more = quantiles(latencies[of]);
	return { value: more[quantile], delivered: latencies.delivered, more };
}
