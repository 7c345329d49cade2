import { oneRedis } from './harness/backend.ts';
import { onlyNode } from './harness/impact.ts';
import { exactlyOne, subscriberConnections } from './harness/connections.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

const NODE_B = { backend: oneRedis(), scenario: { ...TWO_NODES, proxied: ['b'] }, impact: onlyNode('b') };

// Verified to catch: interruptions not reported (silent losses, topics without an event); gaps three heartbeats too
// early.
testFault({
	name: "a node's subscriber connection is cut",
	...NODE_B,
	// It may reconnect before the next message.
	mayLoseNothing: true,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('b').cut(subscriberConnections));
		return { from, back: from };
	},
});

// Frames stuck on the dead connection arrive when it works again: no client may get them a second time.
testFault({
	name: "a node's subscriber connection stalls for 3 s",
	...NODE_B,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('b').freeze(subscriberConnections));
		await Bun.sleep(3_000);
		deployment.proxy('b').thaw();
		return { from, back: from };
	},
});

// New connections work throughout, so the recovery time is the time to detect the dead one.
// Verified to catch: no heartbeats (silent losses, recovery, not settled).
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
