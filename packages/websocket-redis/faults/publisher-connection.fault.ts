import { oneRedis } from './harness/backend.ts';
import { publishesOf } from './harness/impact.ts';
import type { Fault } from './harness/fault.ts';
import { exactlyOne, publisherConnections } from './harness/connections.ts';
import { type Scenario, TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';
import type { SingleRedis } from './harness/backend.ts';

const SCENARIO: Scenario = { ...TWO_NODES, proxied: ['a'] };

/** Node a can't publish but still receives, so it misses nothing itself but must report a gap to the others. */
function testPublisher(fault: Pick<Fault<SingleRedis>, 'name' | 'inject' | 'mayLoseNothing'>): void {
	testFault({ backend: oneRedis(), scenario: SCENARIO, impact: publishesOf('a', SCENARIO), ...fault });
}

testPublisher({
	name: "a node's publisher connection is cut",
	// It may reconnect before the next message.
	mayLoseNothing: true,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('a').cut(publisherConnections));
		return { from, back: from };
	},
});

// Checked by sending no gap notice: the test then fails on silent losses; by sending one for all topics instead of
// those concerned: false alarms; by reporting gaps of topics without subscribers on the node: wrong gap events; by
// making publishes wait for the connection: late deliveries and inversions.
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

// Redis executes the commands, but the node does not learn that: messages reported as lost may have arrived, but once.
// Checked by sending commands without a reply again: the test then fails on duplicates.
testPublisher({
	name: "Redis's replies to a publisher are lost",
	mayLoseNothing: true,
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('a').freeze(publisherConnections, { direction: 'toClient' }));
		await Bun.sleep(3_000);
		return { from, back: from };
	},
});

// New connections work throughout, so the recovery time is the time it takes to detect the dead connection.
// Checked by disabling heartbeats: the test then fails on unsettled promises, silent losses and recovery time, and the
// nodes do not recover.
testPublisher({
	name: "a node's publisher connection is half-open",
	async inject(deployment) {
		const from = Date.now();
		exactlyOne(deployment.proxy('a').freeze(publisherConnections));
		await Bun.sleep(3_000);
		return { from, back: from };
	},
});

// Frames stuck on the dead connection reach Redis after newer messages: no client may get them.
// Checked by not distinguishing the messages of a failed connection from later ones: the test then fails on inversions.
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
