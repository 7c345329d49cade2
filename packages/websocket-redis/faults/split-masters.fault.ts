import { DOUBT_MS } from './harness/doubt.ts';
import type { Fault } from './harness/fault.ts';
import { type ReplicatedRedis, replicatedRedis } from './harness/replicated-redis.ts';
import { type Stage, TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';
import type { World } from './harness/world.ts';

const ALL = ['a', 'b', 'c'];
const SPLIT_MS = 3_000;

const STAGE: Stage = {
	...TWO_NODES,
	proxied: ALL,
	groups: [{ prefix: 'shared', count: 30, publishers: ALL, members: ALL }],
};

function testSplit(fault: Pick<Fault<ReplicatedRedis>, 'name' | 'inject' | 'gapsPerTopic'>): void {
	testFault({ backend: replicatedRedis, stage: STAGE, exposure: () => 'possible', gapSlackMs: DOUBT_MS, ...fault });
}

/** New connections find the replica, which is a master from now on; those there are stay on the old one. */
async function promote(world: World<ReplicatedRedis>): Promise<void> {
	const { replica } = world.backend;
	await replica.command('REPLICAOF', 'NO', 'ONE');
	for (const { name } of world.nodes) world.proxy(name).retarget({ port: replica.port });
}

// On both sides every connection works and every node hears itself; only the other side is not heard.
// Seen to fail: nodes that count each other's beats anew after an interruption of their own, or that take the first beat they hear
// of a node for its first (silent losses on both sides of the split).

testSplit({
	name: 'the old master lives on, a new node finds the new one',
	async inject(world) {
		const from = Date.now();
		await promote(world);
		await world.addNode('c', world.backend.replica.port);
		await Bun.sleep(SPLIT_MS);
		await world.backend.master.kill();
		return { from, back: Date.now() };
	},
});

testSplit({
	name: 'the old master lives on, one node moves to the new one',
	// For the node that moves: its move, and what it did not hear until the others came after it.
	gapsPerTopic: 2,
	async inject(world) {
		const from = Date.now();
		await promote(world);
		world.proxy('b').cut();
		await Bun.sleep(SPLIT_MS);
		await world.backend.master.kill();
		return { from, back: Date.now() };
	},
});

// Redis accepts a publish on a replica without a word; only the replica's own subscribers hear it. Nobody repairs anything: the
// nodes have to leave by themselves.
// Seen to fail: no look at the server's role (silent losses, no quiet).
testSplit({
	name: 'the old master becomes a replica of the new one',
	async inject(world) {
		const { master, replica } = world.backend;
		const from = Date.now();
		await promote(world);
		await master.command('REPLICAOF', replica.host, String(replica.port));
		const back = Date.now();
		await world.addNode('c', replica.port);
		return { from, back };
	},
});
