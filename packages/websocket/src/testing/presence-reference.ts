import { deepEqual } from 'node:assert/strict';
import { MemoryPresence } from '../presence/memory-presence.ts';
import type { StoredPresence } from '../presence/presence-store.ts';
import { decodeFrame, encodePresenceHeader, type Presence } from '../wire/frame.ts';
import type { Requirements } from './conformance.ts';
import { summary } from './presence-assertions.ts';
import { PresenceNode } from './presence-node.ts';
import { seeded, someOps } from './presence-random.ts';

const STEPS = 200;

/** The requirement to do what the store in memory does. */
export const REFERENCE: Requirements = {
	async 'random steps of several nodes have the effects that they have in memory'(context) {
		const nodes = await PresenceNode.startLeased(context, 3, 't');
		const random = seeded(24);
		const expected: Presence[] = [];
		const reference = new MemoryPresence((_, frame) => expected.push(decodeFrame(frame, 0) as Presence));
		for (let step = 0; step < STEPS; step++) {
			const node = nodes[random(3)]!;
			const ops = someOps(random);
			// In turn, members are named, there are too many to be named, and they never are.
			const membersUpTo = [1_000, 3, 0][Math.floor(step / 20) % 3]!;
			const { lease, sender } = node;
			const header = encodePresenceHeader(sender);
			const state = await node.presence.apply('t', { lease, header, ops, membersUpTo });
			const { version, count } = await reference.apply('t', { lease, header, ops, membersUpTo });
			deepEqual([state.version?.n, state.count], [version?.n, count], `after ${JSON.stringify(ops)}`);
			if (step % 5 > 0) continue;
			const [read, wanted] = await Promise.all([node.read('t'), reference.read('t', { limit: 1_000 })]);
			deepEqual(comparable(read), comparable(wanted), `after ${JSON.stringify(ops)}`);
		}
		const changes = await nodes[0]!.untilChanges('t', expected.length);
		deepEqual(
			changes.map((change) => [change.n, change.count, summary(change)]),
			expected.map((change) => [change.n, change.count, summary(change)]),
		);
	},
};

/** Returns what two stores agree on whose clocks may differ. */
function comparable({ version, count, members }: StoredPresence): unknown[] {
	const all = members.map(({ key, connections, info, nodes }) => {
		return {
			key,
			connections,
			info,
			nodes: nodes.map(({ nodeId, generation }) => `${nodeId}:${generation}`).toSorted(),
		};
	});
	return [version?.n, count, all];
}
