import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import type { ActionResult } from '../index.ts';
import { openCluster, type TestCluster } from '../test-support/open-nodes.ts';
import type { Member } from '../test-support/test-node.ts';

const NODES = 4;
const MEMBERS_EACH = 3;
const ROUNDS = 15;
const TIMEOUT_MS = 250;
/** How long an action may take beyond its time limit, on a busy machine, in milliseconds. */
const SLACK_MS = 2_000;

/** Numbers that are the same for the same seed. */
function random(seed: number): (below: number) => number {
	let state = seed;
	return (below) => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return Math.floor((state / 2 ** 32) * below);
	};
}

async function connectAll({ nodes }: TestCluster): Promise<Member[]> {
	const members: Member[] = [];
	for (const node of nodes) for (let i = 0; i < MEMBERS_EACH; i++) members.push(await node.connect());
	return members;
}

/** What an action must not be wrong about, whatever happens to the nodes. */
function checkResult({ nodes, answered, unanswered, sockets }: ActionResult, done: number, ms: number): void {
	expect(sockets).toBeLessThanOrEqual(done);
	expect(sockets).toBeLessThanOrEqual(answered * MEMBERS_EACH);
	expect(answered + unanswered.length).toBe(NODES);
	expect(nodes).toBe(NODES);
	expect(new Set(unanswered).size).toBe(unanswered.length);
	expect(ms).toBeLessThan(TIMEOUT_MS + SLACK_MS);
}

describe.each([1, 2, 3])('actions while links are cut, frozen and restored at random (seed %i)', (seed) => {
	it('never say that more was done than was done, and never hang', { timeout: 120_000 }, async () => {
		const pick = random(seed);
		const cluster = await openCluster(NODES, { subprotocol: '' });
		const { nodes, buses, backend } = cluster;
		for (const { provider } of nodes)
			await until(() => provider.cluster.nodes().length === NODES, { what: 'the nodes know each other' });
		const members = await connectAll(cluster);
		const broken = new Set<number>();
		for (let round = 0; round < ROUNDS; round++) {
			const at = pick(NODES);
			const bus = buses[at] as (typeof buses)[number];
			if (broken.delete(at)) backend.restore(bus);
			else if (broken.size < NODES - 1) {
				broken.add(at);
				if (pick(2) === 0) backend.cut(bus);
				else backend.freeze(bus);
			}
			const asking = nodes[pick(NODES)] as (typeof nodes)[number];
			const topic = `t${round}`;
			const started = performance.now();
			const subscribed = await asking.provider.cluster.subscribe('all', topic, { timeoutMs: TIMEOUT_MS });
			const isIn = (): number => members.filter(({ ws }) => ws.data.topics.has(topic)).length;
			checkResult(subscribed, isIn(), performance.now() - started);
			const before = isIn();
			const again = performance.now();
			const left = await asking.provider.cluster.unsubscribe('all', topic, { timeoutMs: TIMEOUT_MS });
			checkResult(left, before - isIn(), performance.now() - again);
		}
		for (const at of broken) backend.restore(buses[at] as (typeof buses)[number]);
		for (const { provider } of nodes) {
			await until(() => provider.cluster.nodes().length === NODES && provider.status === 'ready', {
				what: 'the nodes know each other again',
				timeoutMs: 20_000,
			});
		}
		const [first] = nodes;
		const settled = await first?.provider.cluster.disconnect('all', { reconnect: false });

		expect(settled).toEqual({ nodes: NODES, answered: NODES, unanswered: [], sockets: members.length });
	});
});
