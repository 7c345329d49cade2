import { oneRedis } from './harness/backend.ts';
import { onlyNode } from './harness/exposure.ts';
import { exactlyOne, subscriberLinks } from './harness/links.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

const REACH = { backend: oneRedis(), stage: { ...TWO_NODES, proxied: ['b'] }, exposure: onlyNode('b') };

// Seen to fail: interruptions not reported (silent losses, topics without an event); a gap that begins three heartbeats early.
testFault({
	name: "a node's subscriber link is cut",
	...REACH,
	// It may be back before the next message.
	mayLoseNothing: true,
	async inject(world) {
		const from = Date.now();
		exactlyOne(world.proxy('b').cut(subscriberLinks));
		return { from, back: from };
	},
});

// What the dead connection held comes when the line is back: nobody may hear it a second time.
testFault({
	name: "a node's subscriber link stalls for 3 s",
	...REACH,
	async inject(world) {
		const from = Date.now();
		exactlyOne(world.proxy('b').freeze(subscriberLinks));
		await Bun.sleep(3_000);
		world.proxy('b').thaw();
		return { from, back: from };
	},
});

// New connections work all the while, so the recovery time is that of noticing.
// Seen to fail: no heartbeats (silent losses, recovery, no quiet).
testFault({
	name: "a node's subscriber link is half-open",
	...REACH,
	async inject(world) {
		const from = Date.now();
		exactlyOne(world.proxy('b').freeze(subscriberLinks));
		await Bun.sleep(3_000);
		return { from, back: from };
	},
});
