/**
 * Runs benchmarks, and prints and saves the results: `bun run bench [name …] [--only 'orijs, …'] [--smoke]`. With
 * `--only` or `--smoke`, nothing is saved.
 */
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmarks/benchmark.ts';

import { bridge } from './benchmarks/bridge.ts';
import { compression } from './benchmarks/compression.ts';
import { connect } from './benchmarks/connect.ts';
import { fanOut } from './benchmarks/fan-out.ts';
import { growth } from './benchmarks/growth.ts';
import { heartbeats } from './benchmarks/heartbeats.ts';
import { history } from './benchmarks/history.ts';
import { inbound } from './benchmarks/inbound.ts';
import { subscriptionChurn } from './benchmarks/subscription-churn.ts';
import { latency } from './benchmarks/latency.ts';
import { memory } from './benchmarks/memory.ts';
import { presence } from './benchmarks/presence.ts';
import { recovery } from './benchmarks/recovery.ts';
import { resubscribe } from './benchmarks/resubscribe.ts';
import { Bench, FULL, SMOKE } from './harness/bench.ts';
import { installPeers } from './harness/peers.ts';
import * as subjects from './harness/subjects.ts';
import { machine } from './report/machine.ts';
import { printCase } from './report/print.ts';
import type { CaseResult } from './report/results.ts';

const BENCHMARKS: readonly Benchmark[] = [
	fanOut,
	inbound,
	bridge,
	history,
	recovery,
	latency,
	memory,
	subscriptionChurn,
	connect,
	resubscribe,
	growth,
	compression,
	heartbeats,
	presence,
];
const RESULTS = new URL('../results/', import.meta.url);

const { positionals, values } = parseArgs({
	allowPositionals: true,
	options: { smoke: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const only = values.only === undefined ? undefined : new Set(values.only.split(/, */).map(subjectNamed));
const chosen = positionals.length === 0 ? BENCHMARKS : positionals.map(benchmarkNamed);

if (process.platform !== 'linux') {
	console.error('The bench needs Linux: it reads CPU times from /proc');
	process.exit(1);
}
await installPeers();
for (const benchmark of chosen) await run(benchmark);

async function run({ name, title, run }: Benchmark): Promise<void> {
	console.log(`\n${name}: ${title}`);
	const cases: CaseResult[] = [];
	await run(new Bench(values.smoke ? SMOKE : FULL, only), (result) => {
		cases.push(result);
		printCase(result);
	});
	if (values.smoke || only !== undefined) return;
	const result = { name, title, machine: machine(), cases };
	await Bun.write(new URL(`${name}.json`, RESULTS), `${JSON.stringify(result, rounded, '\t')}\n`);
}

/** Rounds numbers to five digits, because the rest is noise. */
function rounded(_key: string, value: unknown): unknown {
	return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}

function subjectNamed(name: string): string {
	const names = Object.values(subjects).map((kind) => kind.name);
	if (names.includes(name)) return name;
	console.error(`No subject named ${JSON.stringify(name)}. Available: ${names.join(', ')}`);
	process.exit(1);
}

function benchmarkNamed(name: string): Benchmark {
	const found = BENCHMARKS.find((benchmark) => benchmark.name === name);
	if (found !== undefined) return found;
	console.error(
		`No benchmark named ${JSON.stringify(name)}. Available: ${BENCHMARKS.map((one) => one.name).join(', ')}`,
	);
	process.exit(1);
}
