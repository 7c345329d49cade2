import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PresenceBackend, PresenceNode, socketOf } from '../test-support/own-presence-fixture.ts';

beforeEach(() => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function start(backend: PresenceBackend): Promise<PresenceNode> {
	const node = new PresenceNode(backend.store);
	void node.presence.start();
	await pass(10);
	return node;
}

const generations = (node: PresenceNode): number[] => [
	...new Set(node.link.renewals.map(({ lease }) => lease.generation)),
];

describe('a lease', () => {
	it('is renewed every two seconds; only its first renewal is new', async () => {
		const node = await start(new PresenceBackend());
		await pass(10_000);
		expect(node.link.renewals.map(({ isNew }) => isNew)).toEqual([true, false, false, false, false]);
		expect(generations(node)).toHaveLength(1);
	});

	it('is asked for again if the first renewal has failed, and nothing is stored before', async () => {
		const backend = new PresenceBackend();
		const node = new PresenceNode(backend.store);
		node.link.fate = () => 'answer lost';
		node.join(socketOf('ann'), 'room');
		void node.presence.start();
		await pass(1_100);
		expect(node.link.renewals.map(({ isNew }) => isNew)).toEqual([true, true, true]);
		expect(node.link.batches).toEqual([]);
		node.link.fate = () => 'answered';
		await pass(600);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		expect(node.log.problems).toHaveLength(1);
	});

	it('is followed by a later generation if the node was frozen, under which everything is put again', async () => {
		const backend = new PresenceBackend();
		const [node, other] = [await start(backend), await start(backend)];
		node.join(socketOf('ann'), 'room');
		await pass(100);
		node.link.freeze();
		await pass(30_000);
		expect(await backend.connections('room')).toEqual({});
		expect(backend.told()).toEqual(['joined user:ann', 'left user:ann']);
		node.link.thaw();
		await pass(1_500);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		expect(generations(node).length).toBeGreaterThan(1);
		const { members } = await backend.store.read('room', { limit: 1 });
		expect(members[0]?.nodes[0]?.generation).toBe(generations(node).at(-1));
		expect(generations(other)).toHaveLength(1);
	});

	it('that the backend has forgotten is followed by a new one', async () => {
		const backend = new PresenceBackend();
		const node = await start(backend);
		node.join(socketOf('ann'), 'room');
		await pass(100);
		backend.store.clear();
		await pass(4_000);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		expect(generations(node)).toHaveLength(2);
	});

	it('that is unknown when something is to be stored is followed by a new one at once', async () => {
		const backend = new PresenceBackend();
		const node = await start(backend);
		node.join(socketOf('ann'), 'room');
		await pass(1_500);
		backend.store.clear();
		node.join(socketOf('bob'), 'room');
		await pass(100);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1, 'user:bob': 1 });
	});

	it('that the backend never knows is renewed under a new generation once a second at most', async () => {
		const backend = new PresenceBackend();
		const node = await start(backend);
		const renew = vi
			.spyOn(backend.store, 'renew')
			.mockResolvedValue({ isKept: false, expired: [], released: [], now: 0 });
		onTestFinished(() => renew.mockRestore());
		await pass(10_000);
		expect(generations(node).length).toBeLessThanOrEqual(11);
		expect(generations(node).length).toBeGreaterThan(5);
	});

	it('is asked for again if there is no answer at all', async () => {
		const backend = new PresenceBackend();
		const node = new PresenceNode(backend.store);
		const { link } = node;
		const renew = link.renew.bind(link);
		let unanswered = 1;
		link.renew = (...call) => (unanswered-- > 0 ? new Promise(() => {}) : renew(...call));
		node.join(socketOf('ann'), 'room');
		void node.presence.start();
		await pass(6_000);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
	});

	it('lasts through a short outage, and has one new generation after a long one', async () => {
		const backend = new PresenceBackend();
		const node = await start(backend);
		node.join(socketOf('ann'), 'room');
		await pass(100);
		node.goAway();
		await pass(6_000);
		node.comeBack();
		await pass(1_000);
		expect(generations(node)).toHaveLength(1);
		node.goAway();
		await pass(60_000);
		node.comeBack();
		await pass(1_000);
		expect(generations(node)).toHaveLength(2);
		expect(backend.told()).toEqual(['joined user:ann']);
	});
});
