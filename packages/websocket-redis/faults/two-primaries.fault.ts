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

/** Promotes the replica: new connections lead to it, while existing ones stay on the old primary. */
async function promote(deployment: Deployment<ReplicatedRedis>): Promise<void> {
	const { replica } = deployment.backend;
	await replica.command('REPLICAOF', 'NO', 'ONE');
	for (const { name } of deployment.nodes) deployment.proxy(name).retarget({ port: replica.port });
}

// On both sides, every connection works and every node receives its own heartbeats, but none from the other side.
// Verified by two mutations: if nodes restart counting each other's beats after an interruption of their own, or if
// they mistake the first beat that they receive from a node for the first one that it sent, the test fails with silent
// losses on both sides of the split.

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
	// For the node that moves: one gap for its move, one for the messages it missed until the others followed.
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

// A replica accepts messages, but delivers them only to its own subscribers. The test repairs nothing: the nodes have
// to leave the replica by themselves.
// Verified by mutation testing: if the server's role is not checked, the test fails with silent losses, and the nodes
// do not recover.
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
