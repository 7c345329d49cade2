import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

const FAR = { toServer: 400, toClient: 400 };
const TOO_FAR = { toServer: 1_500, toClient: 1_500 };

// Answers take 0.8 s, which is less than two heartbeat intervals: nothing is lost, and nothing is to be reported, not
// even where the next messages overtake none of those before.
testFault({
	name: 'a link delayed by 0.4 s each way for 3 s',
	backend: oneRedis(),
	scenario: { ...TWO_NODES, proxied: ['b'] },
	impact: () => 'unaffected',
	mayLoseNothing: true,
	delayMs: FAR.toServer + FAR.toClient,
	unsuited: { delayed: 'the fault is a link that is delayed' },
	async inject(deployment) {
		const proxy = deployment.proxy('b');
		const from = Date.now();
		proxy.delay(FAR.toServer, { direction: 'toServer' });
		proxy.delay(FAR.toClient, { direction: 'toClient' });
		await Bun.sleep(3_000);
		proxy.delay(0);
		return { from, back: Date.now() };
	},
});

// Answers take 3 s: the node has to consider its connections dead, like those to a Redis that hangs.
testFault({
	name: 'a link delayed by 1.5 s each way for 5 s',
	fullRunsOnly: true,
	backend: oneRedis(),
	scenario: { ...TWO_NODES, proxied: ['b'] },
	impact: () => 'possible',
	mayLoseNothing: true,
	// While the link is like that, the node may connect in vain, so it is interrupted for as long.
	gapsPerTopic: 3,
	delayMs: TOO_FAR.toServer + TOO_FAR.toClient,
	unsuited: { delayed: 'the fault is a link that is delayed' },
	async inject(deployment) {
		const proxy = deployment.proxy('b');
		const from = Date.now();
		proxy.delay(TOO_FAR.toServer, { direction: 'toServer' });
		proxy.delay(TOO_FAR.toClient, { direction: 'toClient' });
		await Bun.sleep(5_000);
		proxy.delay(0);
		return { from, back: Date.now() };
	},
});
