import { oneRedis } from './harness/backend.ts';
import { publishesOf } from './harness/impact.ts';
import type { Fault } from './harness/fault.ts';
import { exactlyOne, publisherConnections } from './harness/connections.ts';
import { type Scenario, TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';
import type { SingleRedis } from './harness/backend.ts';

const SCENARIO: Scenario = { ...TWO_NODES, proxied: ['a'] };

/**
 * Tests that node a can't publish. It still receives, so it misses nothing itself, but must report a gap to the others.
 */
function testPublisher(fault: Pick<Fault<SingleRedis>, 'name' | 'inject' | 'mayLoseNothing' | 'fullRunsOnly'>): void {
	testFault({ backend: oneRedis(), scenario: SCENARIO, impact: publishesOf('a', SCENARIO), ...fault });
}

testPublisher({
	name: "a node's publisher connection is cut",
	// The node may reconnect before the next message.
	mayLoseNothing: true,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('a').cut(publisherConnections));
		return { from, back: from };
	},
});

// Verified by mutation testing: if no gap notice is sent, the test fails with silent losses; if a notice covers all
// topics instead of the affected ones, with false alarms; if gaps are reported for topics without subscribers on the
// node, with wrong gap events; if publishes wait for the connection, with late deliveries and inversions.
testPublisher({
	name: "a node can't publish for 3 s",
	async inject(deployment) {
		const proxy = deployment.proxy('a');
		const from = Date.now();
		proxy.refuse(true);
		exactlyOne(proxy.cut(publisherConnections));
		await Bun.sleep(3_000);
		proxy.refuse(false);
		return { from, back: Date.now() };
	},
});

// Redis executes the commands without the node's knowledge: messages reported as lost may have arrived, but only once.
// Verified by mutation testing: if commands without a reply are sent again, the test fails with duplicates.
testPublisher({
	name: "Redis's replies to a publisher are lost",
	fullRunsOnly: true,
	mayLoseNothing: true,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('a').freeze(publisherConnections, { direction: 'toClient' }));
		await Bun.sleep(3_000);
		return { from, back: from };
	},
});

// New connections work throughout, so the recovery time is the time it takes to detect the dead connection.
// Verified by mutation testing: without heartbeats, the test fails with unsettled promises, silent losses and slow
// recovery, and the nodes do not recover.
testPublisher({
	name: "a node's publisher connection is half-open",
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('a').freeze(publisherConnections));
		await Bun.sleep(3_000);
		return { from, back: from };
	},
});

// Frames stuck on the dead connection reach Redis after newer messages. No client may get them.
// Verified by mutation testing: if messages of a failed connection are not distinguished from later ones, the test
// fails with inversions.
testPublisher({
	name: "a node's publisher connection stalls for 3 s",
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('a').freeze(publisherConnections));
		await Bun.sleep(3_000);
		deployment.proxy('a').thaw();
		return { from, back: from };
	},
});
