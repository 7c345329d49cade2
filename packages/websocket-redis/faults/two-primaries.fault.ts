import { VERIFICATION_LAG_MS } from './harness/verification-lag.ts';
import type { Fault } from './harness/fault.ts';
import { type ReplicatedRedis, replicatedRedis } from './harness/replicated-redis.ts';
import { type Scenario, TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';
import type { Deployment } from './harness/deployment.ts';

const ALL = ['a', 'b', 'c'];
const SPLIT_MS = 3_000;

const SCENARIO: Scenario = {
	...TWO_NODES,
	proxied: ALL,
	groups: [{ prefix: 'shared', count: 30, publishers: ALL, subscribers: ALL }],
};

function testSplit(fault: Pick<Fault<ReplicatedRedis>, 'name' | 'inject' | 'gapsPerTopic'>): void {
	testFault({
		backend: replicatedRedis,
		scenario: SCENARIO,
		impact: () => 'possible',
		gapSlackMs: VERIFICATION_LAG_MS,
		...fault,
	});
}

/** Promotes the replica: new connections lead to it, existing ones stay on the old primary. */
async function promote(deployment: Deployment<ReplicatedRedis>): Promise<void> {
	const { replica } = deployment.backend;
	await replica.command('REPLICAOF', 'NO', 'ONE');
	for (const { name } of deployment.nodes) deployment.proxy(name).retarget({ port: replica.port });
}

// On both sides every connection works and every node receives its own heartbeats, but none from the other side.
// Checked by making nodes restart counting each other's beats after being interrupted themselves, and by making them
// take the first beat they receive from a node for its first one: each time, the test fails on silent losses on both
// sides of the split.

testSplit({
	name: 'two primaries: a new node connects to the new one',
	async inject(deployment) {
		const from = Date.now();
		await promote(deployment);
		await deployment.addNode('c', deployment.backend.replica.port);
		await Bun.sleep(SPLIT_MS);
		await deployment.backend.primary.kill();
		return { from, back: Date.now() };
	},
});

testSplit({
	name: 'two primaries: one node moves to the new one',
	// For the node that moves: its move, and what it missed until the others followed.
	gapsPerTopic: 2,
	async inject(deployment) {
		const from = Date.now();
		await promote(deployment);
		deployment.proxy('b').cut();
		await Bun.sleep(SPLIT_MS);
		await deployment.backend.primary.kill();
		return { from, back: Date.now() };
	},
});

// A replica accepts a publish and delivers it to its own subscribers only. The test repairs nothing: the nodes have to
// leave the replica themselves.
// Checked by not verifying the server's role: the test then fails on silent losses, and the nodes do not recover.
testSplit({
	name: 'the old primary becomes a replica of the new one',
	async inject(deployment) {
		const { primary, replica } = deployment.backend;
		const from = Date.now();
		await promote(deployment);
		await primary.command('REPLICAOF', replica.host, String(replica.port));
		const back = Date.now();
		await deployment.addNode('c', replica.port);
		return { from, back };
	},
});
