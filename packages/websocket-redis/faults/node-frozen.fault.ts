import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

const FROZEN_MS = 3_000;

// Simulates a long garbage collection or a paused machine: messages are late, but not lost. The other node, which
// receives no heartbeats for a while, has nothing to report; the frozen one may consider its own connections dead.
// Verified by mutation testing: if a loss is reported when a node falls silent, the test fails with false alarms.
testFault({
	name: 'a node frozen for 3 s',
	backend: oneRedis(),
	scenario: TWO_NODES,
	impact: (node) => (node === 'b' ? 'possible' : 'unaffected'),
	mayLoseNothing: true,
	delayMs: FROZEN_MS,
	async inject({ nodes }) {
		const frozen = nodes.find(({ name }) => name === 'b');
		const from = Date.now();
		frozen?.process.freeze();
		await Bun.sleep(FROZEN_MS);
		frozen?.process.thaw();
		return { from, back: Date.now() };
	},
});
