import type { Bench } from '../harness/bench.ts';
import { CaseRecorder, type Comparison } from '../harness/case-recorder.ts';
import { NodeGroup } from '../harness/node-group.ts';
import { median } from '../harness/statistics.ts';
import { orijs } from '../harness/subjects.ts';
import type { NodeEvent } from '../nodes/requests.ts';
import type { Sample } from '../report/results.ts';
import type { Benchmark } from './benchmark.ts';

const MOST_NODES = 1_000;
/** A multiple of the time between two lists of all nodes (5 s), so that each window has the same number of them. */
const WINDOW_MS = 10_000;
const DEAD_SUBSCRIPTIONS = 5;
const SILENT_NODES = 3;
/** What nodes receive for each other node within this time, in seconds, has a target. */
const PEER_SECONDS = 10;

interface Figure {
	readonly name: string;
	readonly unit: string;
	/** The target with the most nodes. */
	readonly limit?: number;
}

/** In the order of the results. */
const CASES = {
	start: { name: 'processor time of Redis, per node that starts', unit: 'µs' },
	redis: { name: 'processor time of Redis, with idle nodes', unit: '% of a core' },
	node: { name: 'processor time of an idle node, per second', unit: 'µs' },
	frames: { name: 'frames received by a node', unit: 'frames/s', limit: 5 },
	writes: { name: 'writes of a node to Redis', unit: 'writes/s', limit: 5 },
	bytes: { name: 'bytes received by a node, per second', unit: 'bytes' },
	peerBytes: { name: 'bytes received for each other node, per 10 s', unit: 'bytes', limit: 64 },
	deadSubscription: { name: 'until a dead subscription is noticed', unit: 'ms', limit: 2_000 },
	silentNode: { name: 'until the last node has noticed a silent one', unit: 'ms', limit: 5_000 },
} as const satisfies Record<string, Figure>;

type Case = keyof typeof CASES;

export const heartbeats: Benchmark = {
	name: 'heartbeats',
	title: 'Heartbeats: what idle nodes cost, and how soon they notice faults',
	async run(bench, found) {
		for (const nodes of bench.sizes(2, 10, 100, MOST_NODES)) {
			const samples = await measure(bench, nodes);
			for (const name of Object.keys(CASES) as Case[]) {
				const recorder = new CaseRecorder(comparisonOf(name, nodes));
				for (const sample of samples[name]) recorder.add(orijs.name, sample, sample);
				found(recorder.result());
			}
		}
	},
};

function comparisonOf(which: Case, nodes: number): Comparison {
	const { name, unit, limit }: Figure = CASES[which];
	return {
		name,
		unit,
		better: 'lower',
		at: { of: 'nodes', value: nodes },
		baseline: orijs.name,
		...(limit !== undefined && nodes === MOST_NODES && { target: { subject: orijs.name, limit, of: 'value' } }),
	};
}

async function measure(bench: Bench, nodes: number): Promise<Record<Case, readonly Sample[]>> {
	const { group, cost } = await NodeGroup.start(nodes);
	const windowMs = bench.scaled(WINDOW_MS);
	const idle = await group.idle(windowMs);
	if (idle.faults.length > 0) console.log(`\nFaults of idle nodes, as on a busy machine: ${describe(idle.faults)}`);
	const received = await group.framesReceived(windowMs);
	const deadSubscription: Sample[] = [];
	for (let round = 0; round < roundsOf(bench, DEAD_SUBSCRIPTIONS); round++) {
		const { foundMs, readyMs } = await group.findDeadSubscription();
		deadSubscription.push({ value: foundMs, delivered: 1, more: { 'ready again': readyMs } });
	}
	const silentNode: Sample[] = [];
	for (let round = 0; round < roundsOf(bench, SILENT_NODES); round++) {
		const times = await group.findSilentNode();
		const more = { 'first node': Math.min(...times), 'median node': median(times) };
		silentNode.push({ value: Math.max(...times), delivered: 1, more });
	}
	await group.close();
	const whileIdle = (value: number, more?: Sample['more']): Sample[] => [
		{ value, delivered: idle.undisturbed, ...(more && { more }) },
	];
	return {
		start: [{ value: cost.redisNs / 1e3, delivered: 1, more: { 'until all know all, in s': cost.elapsedNs / 1e9 } }],
		redis: whileIdle(idle.redisShare * 100),
		node: whileIdle(idle.nodeNs / 1e3),
		frames: whileIdle(received.frames),
		writes: whileIdle(idle.writesPerNode, idle.callsPerNode),
		bytes: whileIdle(idle.bytesPerNode),
		peerBytes: whileIdle((received.sharedBytes / (nodes - 1)) * PEER_SECONDS),
		deadSubscription,
		silentNode,
	};
}

function describe(faults: readonly NodeEvent[]): string {
	const byText = Map.groupBy(faults, ({ kind, about }) => (kind === 'warning' ? `"${about}"` : kind));
	return Array.from(byText, ([text, { length }]) => `${length} × ${text}`).join(', ');
}

/** Returns `rounds`, or 1 if it is only to be checked that everything runs. */
function roundsOf(bench: Bench, rounds: number): number {
	return Math.max(1, Math.round(bench.scaled(rounds)));
}
