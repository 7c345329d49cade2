import { everyNode } from './harness/impact.ts';
import { redisCluster } from './harness/redis-cluster.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { everyCondition } from './harness/select-conditions.ts';
import { testFault } from './harness/test-fault.ts';

// Verified by mutation testing: if interruptions are not reported, the tests fail with silent losses and missing gap
// events.
for (const seconds of [0, 5]) {
	testFault({
		name: `cluster: all six nodes killed, back after ${seconds} s`,
		backend: redisCluster(TWO_NODES),
		scenario: TWO_NODES,
		impact: everyNode,
		fullRunsOnly: true,
		// Usually one. Reports that are more than 1,250 ms apart are not combined, and two have been seen.
		gapsPerTopic: 2,
		unsuited: seconds > 0 ? everyCondition('it is the same fault as the shorter one') : {},
		async inject({ backend: { cluster } }) {
			const from = Date.now();
			await Promise.all(cluster.nodes.map((node) => node.kill()));
			await Bun.sleep(seconds * 1_000);
			await Promise.all(cluster.nodes.map((node) => node.restart()));
			await cluster.ready();
			return { from, back: Date.now() };
		},
	});
}
