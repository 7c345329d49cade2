import { oneRedis } from './harness/backend.ts';
import { onlyNode } from './harness/impact.ts';
import { exactlyOne, subscriberConnections } from './harness/connections.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

const NODE_B = { backend: oneRedis(), scenario: { ...TWO_NODES, proxied: ['b'] }, impact: onlyNode('b') };

// Verified by mutation testing: if interruptions are not reported, the test fails with silent losses and missing gap
// events; if gaps begin three heartbeats too early, with wrong gap events.
testFault({
	name: "a node's subscriber connection is cut",
	...NODE_B,
	// The node may reconnect before the next message.
	mayLoseNothing: true,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('b').cut(subscriberConnections));
		return { from, back: from };
	},
});

// Frames stuck on the dead connection arrive when it works again. No client may get them a second time.
testFault({
	name: "a node's subscriber connection stalls for 3 s",
	fullRunsOnly: true,
	...NODE_B,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('b').freeze(subscriberConnections));
		await Bun.sleep(3_000);
		deployment.proxy('b').thaw();
		return { from, back: from };
	},
});

// New connections work throughout, so the recovery time is the time it takes to detect the dead connection.
// Verified by mutation testing: without heartbeats, the test fails with silent losses and slow recovery, and the node
// does not recover.
testFault({
	name: "a node's subscriber connection is half-open",
	...NODE_B,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('b').freeze(subscriberConnections));
		await Bun.sleep(3_000);
		return { from, back: from };
	},
});
