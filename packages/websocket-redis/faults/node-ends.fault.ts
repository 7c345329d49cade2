import type { TcpProxy } from '@orijs/testkit';
import type { Impact } from './counting/run.ts';
import { oneRedis } from './harness/backend.ts';
import { type Scenario, TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

/** Others give up a node that is silent for 10 s, and hold the report back for 1.25 s. */
const GIVEN_UP_AFTER_MS = 11_500;
const CUT_OFF_MS = 1_000;

const CUT_OFF: Scenario = { ...TWO_NODES, proxied: ['a'] };

/** Of node a nothing arrives any more: b has to report all its topics, since a may have published on any of them. */
const bMissesA = (node: string): Impact => (node === 'b' ? 'interrupted' : 'possible');

async function cutOff(proxy: TcpProxy): Promise<void> {
	proxy.refuse(true);
	proxy.cut();
	await Bun.sleep(CUT_OFF_MS);
}

// What the node could not publish, it has to tell before it stops: it waits for the link.
// Verified by mutation testing: if a node stops without waiting, the test fails with silent losses.
testFault({
	name: 'a node cut off, which stops and can reach Redis again meanwhile',
	fullRunsOnly: true,
	backend: oneRedis(),
	scenario: CUT_OFF,
	impact: () => 'possible',
	async inject(deployment) {
		const proxy = deployment.proxy('a');
		const from = Date.now();
		await cutOff(proxy);
		const stopped = deployment.stopNode('a');
		await Bun.sleep(CUT_OFF_MS);
		proxy.refuse(false);
		await stopped;
		return { from, back: Date.now() };
	},
});

// It waits in vain, and ends without a last beat.
// Verified by mutation testing: if nodes that fall silent are not given up, the test fails with silent losses and
// missing gap events.
testFault({
	name: 'a node cut off, which stops',
	fullRunsOnly: true,
	backend: oneRedis(),
	scenario: CUT_OFF,
	impact: bMissesA,
	unsuited: { clocksSet: 'the others can’t learn that the clock of a node was set after they last received from it' },
	async inject(deployment) {
		const proxy = deployment.proxy('a');
		const from = Date.now();
		await cutOff(proxy);
		await deployment.stopNode('a');
		const back = Date.now();
		await Bun.sleep(GIVEN_UP_AFTER_MS);
		return { from, back: Math.max(back, Date.now()) };
	},
});

// Verified by mutation testing: if nodes that fall silent are not given up, the test fails with missing gap events.
testFault({
	name: 'a node killed (kill -9)',
	backend: oneRedis(),
	scenario: { ...TWO_NODES, mortal: ['a'] },
	impact: bMissesA,
	// It may have published everything.
	mayLoseNothing: true,
	unsuited: { stalled: 'the node that would stall is the one that is killed' },
	async inject(deployment) {
		const from = Date.now();
		await deployment.killNode('a');
		await Bun.sleep(GIVEN_UP_AFTER_MS);
		return { from, back: Date.now() };
	},
});

// A node that stops in order loses nothing. The others have nothing to report, not even after the time after which a
// silent node is given up.
testFault({
	name: 'a node stops',
	fullRunsOnly: true,
	backend: oneRedis(),
	scenario: TWO_NODES,
	impact: () => 'unaffected',
	mayLoseNothing: true,
	async inject(deployment) {
		const from = Date.now();
		await deployment.stopNode('a');
		await Bun.sleep(GIVEN_UP_AFTER_MS);
		return { from, back: Date.now() };
	},
});
