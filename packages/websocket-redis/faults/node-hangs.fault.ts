import { until } from '@orijs/testkit';
import type { Deployment } from './harness/deployment.ts';
import type { Fault } from './harness/fault.ts';
import { oneRedis, type SingleRedis } from './harness/backend.ts';
import { onlyNode } from './harness/impact.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { everyCondition } from './harness/select-conditions.ts';
import { testFault } from './harness/test-fault.ts';

/** Another hanging node, or the same one, would be another fault. */
const UNSUITED = { frozen: 'the fault is a node that hangs', stalled: 'the fault is a node that hangs' };

// Simulates a long garbage collection, a long computation or a paused machine: messages are late, but not lost. The
// other node, which receives no heartbeats for a while, has nothing to report; the one that hangs may consider its own
// connections dead.
// Verified by mutation testing: if a loss is reported when a node falls silent, the tests fail with false alarms.
function testHanging(
	name: string,
	ms: number,
	hang: (deployment: Deployment<SingleRedis>) => Promise<void>,
	unsuited: Fault<SingleRedis>['unsuited'] = UNSUITED,
): void {
	testFault({
		name,
		backend: oneRedis(),
		scenario: TWO_NODES,
		impact: (node) => (node === 'b' ? 'possible' : 'unaffected'),
		mayLoseNothing: true,
		delayMs: ms,
		unsuited,
		async inject(deployment) {
			const from = Date.now();
			await hang(deployment);
			return { from, back: Date.now() };
		},
	});
}

async function freeze(deployment: Deployment<SingleRedis>, ms: number): Promise<void> {
	const { process } = deployment.node('b');
	process.freeze();
	await Bun.sleep(ms);
	process.thaw();
}

testHanging('a node frozen for 3 s', 3_000, (deployment) => freeze(deployment, 3_000));
testHanging(
	'a node frozen for 8 s',
	8_000,
	(deployment) => freeze(deployment, 8_000),
	everyCondition('it is the same fault as the shorter one'),
);
testHanging("a node's event loop stalled for 2 s", 2_000, (deployment) => {
	return deployment.node('b').ask({ do: 'stall', forMs: 2_000 });
});

// Longer than the 10 s after which the other node gives it up, and reports what it may have been unable to publish.
// That is a false alarm here, and the only one: when the node continues, there is nothing more to report.
testFault({
	name: 'a node frozen for 12 s, and given up meanwhile',
	backend: oneRedis(),
	scenario: TWO_NODES,
	impact: (node) => (node === 'a' ? 'interrupted' : 'possible'),
	mayLoseNothing: true,
	delayMs: 12_000,
	unsuited: everyCondition('it takes long, and is like the shorter ones'),
	async inject(deployment) {
		const from = Date.now();
		await freeze(deployment, 12_000);
		return { from, back: Date.now() };
	},
});

// Redis drops the node, which finds out when it goes on: what Redis had already sent still arrives.
testFault({
	name: 'a node frozen until Redis drops its subscriber',
	backend: oneRedis('--client-output-buffer-limit', 'pubsub 1mb 0 0'),
	scenario: TWO_NODES,
	impact: onlyNode('b'),
	delayMs: 5_000,
	unsuited: UNSUITED,
	async inject(deployment) {
		const { redis } = deployment.backend;
		const { process } = deployment.node('b');
		const from = Date.now();
		process.freeze();
		// Until there is more than the limit and all buffers on the path hold. On a topic to which only b is subscribed.
		await until(
			async () => {
				await deployment.node('a').ask({ do: 'burst', topic: 'room-b:0', count: 100, bytes: 64 * 1_024 });
				return redis.log().includes('overcoming of output buffer limits');
			},
			{ what: 'Redis drops the subscriber', timeoutMs: 30_000 },
		);
		process.thaw();
		return { from, back: Date.now() };
	},
});
