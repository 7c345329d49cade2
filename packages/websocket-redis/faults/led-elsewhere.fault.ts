import { VERIFICATION_LAG_MS } from './harness/verification-lag.ts';
import { replicatedRedis } from './harness/replicated-redis.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

const ELSEWHERE_MS = 3_000;

// The other server is a primary like the first: every connection works, and the node receives its own heartbeats. What
// it publishes there is accepted, and reaches no one else.
// Verified by mutation testing: if other nodes' beats are counted only from the node's own last interruption on, the
// test fails with silent losses, of what the node missed while it was elsewhere.
for (const { name, isRestarted } of [
	{ name: 'a node led to a former replica and back', isRestarted: false },
	{ name: 'a node led to a former replica, and back to its own server, just restarted', isRestarted: true },
]) {
	testFault({
		name,
		backend: replicatedRedis,
		scenario: { ...TWO_NODES, proxied: ['b'] },
		impact: (node) => (node === 'b' || isRestarted ? 'interrupted' : 'possible'),
		// The way there, what it missed there, and the way back.
		gapsPerTopic: 3,
		gapSlackMs: VERIFICATION_LAG_MS,
		async inject(deployment) {
			const { primary, replica } = deployment.backend;
			const proxy = deployment.proxy('b');
			const from = Date.now();
			await replica.command('REPLICAOF', 'NO', 'ONE');
			proxy.retarget({ port: replica.port });
			proxy.cut();
			await Bun.sleep(ELSEWHERE_MS);
			if (isRestarted) {
				await primary.kill();
				await primary.restart();
			}
			proxy.retarget({ port: primary.port });
			proxy.cut();
			return { from, back: Date.now() };
		},
	});
}
