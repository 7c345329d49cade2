import { expect, it, onTestFinished } from 'vitest';
import { startRedisCluster } from '@orijs/testkit';
import { ClusterDeployment } from './cluster/cluster-deployment.ts';
import type { NodeProcess } from './cluster/node-process.ts';
import { disturb } from './cluster/disturb.ts';
import { type Backend, oneRedis } from './harness/backend.ts';
import { expectNone } from './harness/expect-none.ts';
import { IS_FULL_RUN } from './harness/select-conditions.ts';
import { restartRandom } from './history/random.ts';

const ACT_EVERY_MS = 30;
const FROZEN_MS = 1_500;
/** What each node may log, on average, although something breaks every second. */
const LINES_PER_SECOND = 3;

// Verified by mutation testing: the test finds what is overstated if silent nodes are not named, if `unsubscribe`
// counts sockets that were not in the topic, or if connections in their guards are not met later; and actions that do
// not settle if there is no time limit.
it('actions on sockets of five nodes on one Redis say no more than they did, and end in time', async () => {
	const backend = await oneRedis()({});
	const { redis } = backend;
	await actUnderFaults(
		backend,
		{ nodes: 5, collectBeatsAbove: 4, forMs: IS_FULL_RUN ? 120_000 : 20_000 },
		{
			async 'Redis frozen'() {
				redis.freeze();
				await Bun.sleep(FROZEN_MS);
				redis.thaw();
			},
			async 'subscribers killed'() {
				await redis.command('CLIENT', 'KILL', 'TYPE', 'pubsub');
			},
		},
	);
}, 240_000);

it('actions on sockets of three nodes on a Redis Cluster say no more than they did, and end in time', async () => {
	const cluster = await startRedisCluster({ replicas: 0 });
	const backend: Backend = {
		connection: { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) },
		ports: cluster.nodes.map(({ port }) => port),
		stop: () => cluster.stop(),
	};
	await actUnderFaults(backend, { nodes: 3, collectBeatsAbove: 2, forMs: IS_FULL_RUN ? 60_000 : 10_000 }, {});
}, 240_000);

async function actUnderFaults(
	backend: Backend,
	{ nodes, collectBeatsAbove, forMs }: { nodes: number; collectBeatsAbove: number; forMs: number },
	ofTheBackend: Readonly<Record<string, () => Promise<void>>>,
): Promise<void> {
	restartRandom(`${nodes} nodes`);
	const deployment = await ClusterDeployment.start(backend, { nodes, collectBeatsAbove });
	onTestFinished(({ task }) => deployment.stop(task.result?.state === 'fail'));
	const startAt = Date.now();
	const endAt = performance.now() + forMs;
	const brokenNodes = new Set<NodeProcess>();
	const acting = setInterval(() => deployment.act(), ACT_EVERY_MS);
	const disturbances = await Promise.all(
		Array.from({ length: nodes > 3 ? 2 : 1 }, () => disturb(deployment, endAt, brokenNodes, ofTheBackend)),
	);
	clearInterval(acting);
	await deployment.untilSettled();
	await deployment.untilAllAgree();

	const { findings, wrongs, failures, counts, log } = deployment.outcome();
	const overstated = findings.filter(({ kind }) => kind === 'overstated');
	const hung = findings.filter(({ kind }) => kind === 'hung');
	const when = (at: number): string => ((at - startAt) / 1_000).toFixed(1);
	const broken = disturbances.flat().toSorted((one, other) => one.at - other.at);
	const faults = broken.map(({ at, what }) => `${when(at)} ${what}`).join('; ');
	console.log(faults);
	console.log('cluster', { ...counts, overstated: overstated.length, hung: hung.length });
	const described = findings.map(({ kind, by, at, what }) => `${kind}: at ${when(at)} ${by}: ${what}`);
	expectNone('findings', described, `faults: ${faults}`);
	expectNone('wrong effects', wrongs, `faults: ${faults}`);
	expectNone('failures of nodes', failures, `faults: ${faults}`);
	if (counts.logLines > (LINES_PER_SECOND * nodes * (Date.now() - startAt)) / 1_000)
		expectNone('frequent log lines, too many in all', mostFrequent(log), `${counts.logLines} lines`);
	expect(counts.actions).toBeGreaterThan(100);
	expect(counts.sockets).toBeGreaterThan(100);
}

function mostFrequent(log: ReadonlyMap<string, number>): readonly string[] {
	const sorted = [...log].toSorted(([, one], [, other]) => other - one);
	return sorted.slice(0, 10).map(([line, times]) => `${times} × ${line}`);
}
