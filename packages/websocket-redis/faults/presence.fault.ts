import { startRedisCluster } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { type Backend, oneRedis } from './harness/backend.ts';
import { expectNone } from './harness/expect-none.ts';
import { IS_FULL_RUN } from './harness/select-conditions.ts';
import { restartRandom, sample } from './history/random.ts';
import { type Disturbance, OF_NODES } from './presence/disturb.ts';
import { OF_CLUSTER } from './presence/disturb-cluster.ts';
import { OF_REDIS } from './presence/disturb-redis.ts';
import { PresenceDeployment } from './presence/presence-deployment.ts';
import { describeFindings } from './presence/describe-findings.ts';

/** How many faults a short run has. */
const SHORT_RUN = 4;
const CHURN_EVERY_MS = 20;
/** Between repairing a fault and leaving all in peace, in milliseconds. */
const AFTERWARDS_MS = 1_000;
/** The longest time of one fault, until all agree again, in milliseconds. */
const LONGEST_MS = 70_000;

/** Only faults whose name this regular expression matches. */
const ONLY = process.env['ONLY'];

it(
	'presence is right on three nodes and one Redis, whatever breaks',
	async () => {
		const backend = await oneRedis('--appendonly', 'yes', '--appendfsync', 'always')({});
		await breakOneByOne(backend, { ...OF_NODES, ...OF_REDIS });
	},
	LONGEST_MS * 30,
);

it(
	'presence is right on three nodes and a Redis Cluster, whatever breaks',
	async () => {
		const cluster = await startRedisCluster();
		const backend = {
			cluster,
			connection: { cluster: cluster.nodes.map(({ host, port }) => ({ host, port })) },
			ports: cluster.nodes.map(({ port }) => port),
			stop: () => cluster.stop(),
		};
		await breakOneByOne(backend, { ...OF_NODES, ...OF_CLUSTER });
	},
	LONGEST_MS * 30,
);

async function breakOneByOne<B extends Backend>(
	backend: B,
	disturbances: Readonly<Record<string, Disturbance<B>>>,
): Promise<void> {
	const all = Object.keys(disturbances).filter((name) => ONLY === undefined || new RegExp(ONLY).test(name));
	restartRandom('faults');
	const names = sample(all, IS_FULL_RUN || ONLY !== undefined ? all.length : SHORT_RUN);
	const deployment = await PresenceDeployment.start(backend);
	onTestFinished(() => deployment.stop());
	const rounds: { readonly name: string; readonly at: number }[] = [];
	for (const name of names) {
		rounds.push({ name, at: Date.now() });
		restartRandom(name);
		deployment.startChurn(CHURN_EVERY_MS);
		await disturbances[name]?.(deployment);
		await Bun.sleep(AFTERWARDS_MS);
		deployment.stopChurn();
		const quietAt = Date.now();
		await deployment.untilAllAgree().catch((error: unknown) => {
			console.log(`after ${name}: ${String(error)}`);
			deployment.recorder.wrong('loss', `after ${name}: ${String(error)}`);
		});
		console.log(`${name}: agreed after ${Date.now() - quietAt} ms`);
	}
	const { slackMs } = deployment;
	const findings = deployment.findings(slackMs);
	const logs = await deployment.logs();
	const { stays, views } = deployment.recorder.record();
	const { notices, rereads, repeated } = deployment.recorder;
	const counted = describeFindings(findings, rounds);
	console.log('presence', {
		faults: names.length,
		stays: stays.length,
		views: views.length,
		notices,
		rereads,
		repeated,
	});
	console.log({ slackMs, ...counted.counts, logLines: logs.flatMap(({ lines }) => lines).length });
	const broken = `faults: ${names.join('; ')}`;
	expectNone('findings', counted.texts, `${broken}\nall findings: ${JSON.stringify(counted.counts)}`);
	expectNone(
		'failures of nodes',
		logs.flatMap(({ failures }) => failures),
		broken,
	);
	expect(notices).toBeGreaterThan(100);
}
