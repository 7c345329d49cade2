import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { HEADER, PresenceBackend, PresenceNode, socketOf } from '../test-support/own-presence-fixture.ts';
import { PresenceLink } from '../test-support/presence-link.ts';
import { OutageLog } from './outage-log.ts';
import { PresenceSweeper } from './presence-sweeper.ts';

beforeEach(() => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** Nodes that have been there for long. */
async function cluster(count: number): Promise<{ backend: PresenceBackend; nodes: PresenceNode[] }> {
	const backend = new PresenceBackend();
	const nodes = Array.from({ length: count }, () => new PresenceNode(backend.store));
	for (const node of nodes) {
		void node.presence.start();
		await pass(100);
	}
	await pass(15_000);
	return { backend, nodes };
}

const [first, second, third] = [0, 1, 2];

describe('the members of a node', () => {
	it('that was killed leave within 15 seconds, apart from those that came back elsewhere', async () => {
		const { backend, nodes } = await cluster(3);
		const node = nodes[first] as PresenceNode;
		for (let i = 0; i < 250; i++) {
			node.join(socketOf('ann'), `room:${i}`);
			node.join(socketOf('bob'), `room:${i}`);
		}
		await pass(1_000);
		node.link.kill();
		for (let i = 0; i < 250; i++) nodes[second]?.join(socketOf('bob'), `room:${i}`);
		backend.told();
		await pass(15_000);
		for (let i = 0; i < 250; i++) expect(await backend.connections(`room:${i}`)).toEqual({ 'user:bob': 1 });
		expect(new Set(backend.told())).toEqual(new Set(['updated user:bob', 'left user:ann']));
	});

	it('that was replaced by a new process at once leave in time, too', async () => {
		const { backend, nodes } = await cluster(1);
		nodes[first]?.join(socketOf('ann'), 'room');
		await pass(1_000);
		nodes[first]?.link.kill();
		await pass(1_000);
		void new PresenceNode(backend.store).presence.start();
		await pass(14_000);
		expect(await backend.connections('room')).toEqual({});
	});

	it('are not swept by a node whose own lease had ended, for the time of a lease, unless released', async () => {
		const link = new PresenceLink(new PresenceBackend().store);
		const sweeper = new PresenceSweeper({
			store: link,
			header: () => HEADER,
			membersUpTo: () => 1_000,
			isReady: () => true,
			outages: new OutageLog(() => {}),
		});
		const sweep = (isReleased = false): void => {
			const expired = [{ nodeId: crypto.randomUUID(), generation: 1 }];
			sweeper.sweep({ expired, released: isReleased ? expired : [] }, performance.now());
		};
		sweeper.start();
		sweep();
		expect(link.swept).toHaveLength(1);
		sweeper.wasAway(performance.now());
		await pass(9_990);
		sweep();
		expect(link.swept).toHaveLength(1);
		sweep(true);
		expect(link.swept).toHaveLength(2);
		await pass(20);
		sweep();
		expect(link.swept).toHaveLength(3);
	});

	it('are swept by a node that has lost its own lease, once the others had the time of a lease to come back', async () => {
		const { backend, nodes } = await cluster(2);
		const [node, late] = nodes as [PresenceNode, PresenceNode];
		node.join(socketOf('ann'), 'room');
		await pass(100);
		late.goAway();
		await pass(12_000);
		late.comeBack();
		await pass(100);
		node.link.kill();
		await pass(20_000);
		expect(late.link.swept.length).toBeGreaterThan(0);
		expect(await backend.connections('room')).toEqual({});
	});

	it('are swept again by others if a sweep has failed', async () => {
		const { backend, nodes } = await cluster(3);
		nodes[first]?.join(socketOf('ann'), 'room');
		await pass(100);
		nodes[first]?.link.kill();
		for (const node of nodes) node.link.fate = (call) => (call === 'sweep' ? 'failed' : 'answered');
		await pass(15_000);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		for (const node of nodes) node.link.fate = () => 'answered';
		await pass(8_000);
		expect(await backend.connections('room')).toEqual({});
		expect([nodes[second], nodes[third]].flatMap((node) => node?.log.problems ?? []).length).toBeLessThanOrEqual(2);
	});

	it('that has stopped leave after their delay', async () => {
		const { backend, nodes } = await cluster(2);
		const node = nodes[first] as PresenceNode;
		const ann = node.join(socketOf('ann'), 'room');
		const bob = node.join(socketOf('bob'), 'room');
		const nobody = node.join(socketOf(), 'room');
		await pass(1_000);
		node.close(ann);
		const stopping = node.presence.stop();
		await pass(1_100);
		await stopping;
		expect(node.link.released).toHaveLength(1);
		expect(Object.keys(await backend.connections('room'))).toEqual(['user:ann', 'user:bob']);
		backend.told();
		await pass(2_900);
		nodes[second]?.join(socketOf('bob'), 'room');
		expect(Object.keys(await backend.connections('room'))).toEqual(['user:ann', 'user:bob']);
		await pass(8_500);
		expect(backend.told()).toEqual(['left user:ann']);
		expect(await backend.connections('room')).toEqual({ 'user:bob': 1 });

		void node.presence.start();
		await pass(1_500);
		expect(await backend.connections('room')).toEqual({ 'user:bob': 2, [`socket:${nobody.data.socketId}`]: 1 });
		expect(bob.data.topics).toContain('room');
	});
});

describe('stop', () => {
	it('stores what is not stored yet', async () => {
		const { backend, nodes } = await cluster(1);
		const node = nodes[first] as PresenceNode;
		for (let i = 0; i < 500; i++) node.join(socketOf('ann'), `room:${i}`);
		await pass(500);
		node.join(socketOf('bob'), 'hall');
		const stopping = node.presence.stop();
		await pass(500);
		await stopping;
		const kinds = node.link.batches.flatMap(({ batch }) => batch.ops.map(({ kind }) => kind));
		expect(kinds.filter((kind) => kind === 'linger')).toHaveLength(500);
		expect(await backend.connections('hall')).toEqual({});
		await pass(10_000);
		expect(node.link.renewals.filter(({ at }) => at > performance.now() - 9_500)).toEqual([]);
	});

	it('takes at most a second, whatever the backend does', async () => {
		for (const breakIt of [
			(node: PresenceNode) => node.link.freeze(),
			(node: PresenceNode) => node.link.kill(),
			(node: PresenceNode) => (node.link.fate = () => 'failed'),
			(node: PresenceNode) => node.goAway(),
		]) {
			const { nodes } = await cluster(1);
			const node = nodes[first] as PresenceNode;
			node.join(socketOf('ann'), 'room');
			await pass(100);
			breakIt(node);
			node.join(socketOf('bob'), 'room');
			let isStopped = false;
			void node.presence.stop().then(() => (isStopped = true));
			await pass(1_010);
			expect(isStopped).toBe(true);
		}
	});

	it('may come before start, twice, and be followed by start', async () => {
		const { backend, nodes } = await cluster(1);
		const node = new PresenceNode(backend.store);
		node.join(socketOf('ann'), 'room');
		for (let i = 0; i < 2; i++) {
			const stopping = node.presence.stop();
			await pass(10);
			await stopping;
		}
		void node.presence.start();
		await pass(100);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		expect(nodes).toHaveLength(1);
	});
});
