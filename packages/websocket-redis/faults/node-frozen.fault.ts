import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/scenario.ts';
import { testFault } from './harness/test-fault.ts';

const FROZEN_MS = 3_000;

// As with a long garbage collection or a paused machine: messages are late, none is lost. The other node, which misses
// heartbeats for a while, has nothing to report; the frozen one may consider its own connections dead.
// Checked by reporting a loss when a node falls silent: the test then fails on false alarms.
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
