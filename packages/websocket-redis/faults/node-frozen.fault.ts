import { oneRedis } from './harness/backend.ts';
import { TWO_NODES } from './harness/stage.ts';
import { testFault } from './harness/test-fault.ts';

const FROZEN_MS = 3_000;

// As with a long garbage collection or a paused machine: nothing is lost, it only comes later. The other node, which hears no
// heartbeat for a while, has nothing to report; the frozen one may think the worst of its own connections.
// Seen to fail: a node that fell silent taken for a loss (false alarms).
testFault({
	name: 'a node is frozen for 3 s',
	backend: oneRedis(),
	stage: TWO_NODES,
	exposure: (node) => (node === 'b' ? 'possible' : 'untouched'),
	mayLoseNothing: true,
	heldUpMs: FROZEN_MS,
	async inject({ nodes }) {
		const frozen = nodes.find(({ name }) => name === 'b');
		const from = Date.now();
		frozen?.process.freeze();
		await Bun.sleep(FROZEN_MS);
		frozen?.process.thaw();
		return { from, back: Date.now() };
	},
});
