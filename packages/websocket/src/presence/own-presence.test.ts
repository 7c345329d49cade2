import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PresenceBackend, PresenceNode, socketOf, type TestSocket } from '../test-support/own-presence-fixture.ts';
import { MemoryPresence } from './memory-presence.ts';

beforeEach(() => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function startNode(backend: PresenceBackend): Promise<PresenceNode> {
	const node = new PresenceNode(backend.store);
	void node.presence.start();
	await pass(10);
	return node;
}

describe("a node's members", () => {
	it('are known to it at once, also before it has started and while the backend is away', async () => {
		const backend = new PresenceBackend();
		const node = new PresenceNode(backend.store);
		node.join(socketOf('ann'), 'room');
		expect([...node.presence.members.of('room')]).toMatchObject([{ key: 'user:ann', connections: 1 }]);
		void node.presence.start();
		await pass(100);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		node.goAway();
		const bob = node.join(socketOf('bob'), 'room');
		expect(node.presence.members.get('room', 'user:bob')).toMatchObject({ connections: 1 });
		node.close(bob);
		expect(node.presence.members.get('room', 'user:bob')).toMatchObject({ connections: 0 });
		await pass(5_100);
		expect(node.presence.members.get('room', 'user:bob')).toMatchObject({ connections: 0 });
		node.comeBack();
		await pass(5_100);
		expect(node.presence.members.get('room', 'user:bob')).toBeUndefined();
		expect(node.changed).toEqual(['room user:ann', 'room user:bob', 'room user:bob', 'room user:bob']);
	});

	it('say since when they are there, also if they are stored much later', async () => {
		const backend = new PresenceBackend();
		const node = await startNode(backend);
		node.goAway();
		node.join(socketOf('ann'), 'room');
		const joinedAt = Date.now();
		await pass(30_000);
		node.comeBack();
		await pass(1_000);
		const { members } = await backend.store.read('room', { limit: 1 });
		expect(Math.abs((members[0]?.since ?? 0) - joinedAt)).toBeLessThan(10);
	});

	it('have the info that was set last, on whichever node', async () => {
		const backend = new PresenceBackend();
		const [first, second] = [await startNode(backend), await startNode(backend)];
		first.describe = (userId) => ({ name: userId });
		const info = async (): Promise<unknown> => {
			await pass(100);
			const { members } = await backend.store.read('room', { limit: 1 });
			return JSON.parse(members[0]?.info ?? 'null');
		};
		const ann = first.join(socketOf('ann'), 'room');
		expect(await info()).toEqual({ name: 'ann' });
		const other = second.join(socketOf('ann'), 'room');
		second.presence.members.setOwn(other, 'room', { status: 'away' });
		expect(await info()).toEqual({ status: 'away' });
		first.presence.members.setOwn(ann, 'room', { status: 'here' });
		expect(await info()).toEqual({ name: 'ann', status: 'here' });
		expect(backend.told()).toEqual(['joined user:ann', 'updated user:ann', 'updated user:ann']);
	});

	it('of a process that is the only node need no lease', async () => {
		const told: string[] = [];
		const node = new PresenceNode(new MemoryPresence((topic) => told.push(topic)));
		void node.presence.start();
		await pass(10);
		const ann = node.join(socketOf('ann'), 'room');
		await pass(60_000);
		node.close(ann);
		await pass(6_000);
		expect(told).toEqual(['room', 'room']);
	});

	it('that come all at once are told in few changes', async () => {
		const backend = new PresenceBackend();
		const node = await startNode(backend);
		const sockets = Array.from({ length: 5_000 }, (_, i) => node.join(socketOf(`${i}`), 'room'));
		await pass(1_000);
		expect((await backend.store.count('room')).version?.n).toBe(50);
		for (const socket of sockets) node.close(socket);
		await pass(1_000);
		for (let i = 0; i < 5_000; i++) node.join(socketOf(`${i}`), 'room');
		await pass(10_000);
		expect(await backend.store.count('room')).toMatchObject({ count: 5_000, version: { n: 50 } });
	});
});

it('a rolling restart makes no one leave who comes back in time', async () => {
	const backend = new PresenceBackend();
	const nodes = [await startNode(backend), await startNode(backend), await startNode(backend)];
	const topics = ['room:1', 'room:2'];
	const connect = (node: PresenceNode, userId: string): TestSocket => {
		const socket = socketOf(userId);
		for (const topic of topics) node.join(socket, topic);
		return socket;
	};
	const places = nodes.map((node, n) =>
		Array.from({ length: 20 }, (_, i) => ({ userId: `${n}.${i}`, node, socket: connect(node, `${n}.${i}`) })),
	);
	await pass(1_000);
	for (const [n, node] of nodes.entries()) {
		const users = places[n] ?? [];
		// Those who have come from a node that stopped earlier are on this one, too.
		const here = places.flat().filter((user) => user.node === node);
		for (const { socket } of here) node.close(socket);
		void node.presence.stop();
		await pass(1_000);
		const replacement = await startNode(backend);
		nodes[n] = replacement;
		for (const user of here) {
			user.node = nodes[(n + here.indexOf(user)) % nodes.length] as PresenceNode;
			user.socket = connect(user.node, user.userId);
			await pass(50);
		}
		expect(users).toHaveLength(20);
	}
	await pass(60_000);
	for (const topic of topics) {
		expect(Object.keys(await backend.connections(topic))).toHaveLength(60);
		expect(await backend.store.count(topic)).toMatchObject({ count: 60 });
	}
	expect(backend.told().filter((each) => each.startsWith('left'))).toEqual([]);
});
