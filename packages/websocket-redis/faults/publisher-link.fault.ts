import { oneRedis } from './harness/backend.ts';
import { publishesOf } from './harness/exposure.ts';
import type { Fault } from './harness/fault.ts';
import { exactlyOne, publisherLinks } from './harness/links.ts';
import { type Stage, TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';
import type { SingleRedis } from './harness/backend.ts';

const STAGE: Stage = { ...TWO_NODES, proxied: ['a'] };

/** Node a can't publish, and hears everything: it has nothing to report for itself, and something to tell the others. */
function testPublisherLink(fault: Pick<Fault<SingleRedis>, 'name' | 'inject' | 'mayLoseNothing'>): void {
	testFault({ backend: oneRedis(), stage: STAGE, exposure: publishesOf('a', STAGE), ...fault });
}

testPublisherLink({
	name: "a node's publisher link is cut",
	// It may be back before the next message.
	mayLoseNothing: true,
	async inject(world) {
		const from = Date.now();
		exactlyOne(world.proxy('a').cut(publisherLinks));
		return { from, back: from };
	},
});

// Seen to fail: nothing announced (silent losses); everything announced instead of the topics concerned (false alarms); events on
// a topic that this node is not in; publishes that wait until the connection is back (late deliveries, inversions).
testPublisherLink({
	name: "a node can't publish for 3 s",
	async inject(world) {
		const proxy = world.proxy('a');
		const from = Date.now();
		proxy.refuse(true);
		exactlyOne(proxy.cut(publisherLinks));
		await Bun.sleep(3_000);
		proxy.refuse(false);
		return { from, back: Date.now() };
	},
});

// Redis carries out what it gets, and nobody here learns of it: what is called lost may have arrived, but only once.
// Seen to fail: unanswered commands sent again (duplicates).
testPublisherLink({
	name: 'Redis answers to a publisher get lost',
	mayLoseNothing: true,
	async inject(world) {
		const from = Date.now();
		exactlyOne(world.proxy('a').freeze(publisherLinks, { direction: 'toClient' }));
		await Bun.sleep(3_000);
		return { from, back: from };
	},
});

// New connections work all the while, so the recovery time is that of noticing.
// Seen to fail: no heartbeats (promises that never settle, silent losses, recovery, no quiet).
testPublisherLink({
	name: "a node's publisher link is half-open",
	async inject(world) {
		const from = Date.now();
		exactlyOne(world.proxy('a').freeze(publisherLinks));
		await Bun.sleep(3_000);
		return { from, back: from };
	},
});

// What the dead connection held reaches Redis when the line comes back, behind newer messages: nobody may hear it then.
// Seen to fail: what a connection that failed had sent is not told from what came after it (inversions).
testPublisherLink({
	name: "a node's publisher link stalls for 3 s",
	async inject(world) {
		const from = Date.now();
		exactlyOne(world.proxy('a').freeze(publisherLinks));
		await Bun.sleep(3_000);
		world.proxy('a').thaw();
		return { from, back: from };
	},
});
