import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PresenceBackend, PresenceNode, socketOf } from '../test-support/own-presence-fixture.ts';
import type { PresenceBatch } from './presence-store.ts';
import type { Fate } from '../test-support/presence-link.ts';

beforeEach(() => {
	vi.useFakeTimers();
	onTestFinished(() => void vi.useRealTimers());
});

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

async function open(): Promise<{ backend: PresenceBackend; node: PresenceNode }> {
	const backend = new PresenceBackend();
	const node = new PresenceNode(backend.store);
	void node.presence.start();
	await pass(10);
	return { backend, node };
}

/** Returns the changes that were sent, as short texts. */
function sent({ link }: PresenceNode): string[] {
	return link.batches
		.splice(0)
		.flatMap(({ topic, batch }) => batch.ops.map(({ kind, key }) => `${topic}: ${kind} ${key}`));
}

describe('changes', () => {
	it('of a moment are stored together, at most 25 ms after the first one', async () => {
		const { backend, node } = await open();
		for (const user of ['ann', 'bob']) {
			node.join(socketOf(user), 'room');
			await pass(10);
		}
		node.join(socketOf('ann'), 'room');
		expect(node.link.batches).toEqual([]);
		await pass(6);
		expect(sent(node)).toEqual(['room: put user:ann', 'room: put user:bob']);
		await pass(10);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 2, 'user:bob': 1 });
		expect(backend.told()).toEqual(['joined user:ann', 'joined user:bob']);
	});

	it('that cancel each other out cost nothing, unless the member lingers', async () => {
		const { backend, node } = await open();
		node.leave(node.join(socketOf(), 'room'), 'room');
		await pass(10_000);
		expect(sent(node)).toEqual([]);

		node.leave(node.join(socketOf('ann'), 'room'), 'room');
		await pass(10_000);
		expect(sent(node)).toEqual([]);

		node.close(node.join(socketOf('ann'), 'room'));
		await pass(10_000);
		expect(sent(node)).toEqual(['room: put user:ann', 'room: linger user:ann', 'room: remove user:ann']);
		expect(backend.told()).toEqual(['joined user:ann', 'left user:ann']);
		expect([...node.presence.members.topics()]).toEqual([]);

		const here = node.join(socketOf('ann'), 'room');
		await pass(100);
		sent(node);
		node.close(here);
		node.join(socketOf('ann'), 'room');
		await pass(100);
		expect(sent(node)).toEqual([]);
	});

	it('of topics without presence do nothing', async () => {
		const { node } = await open();
		node.join(socketOf('ann'), 'plain');
		await pass(100);
		expect(sent(node)).toEqual([]);
		expect(node.changed).toEqual([]);
	});

	it('of one topic are sent one step after the other, at most 100 in each', async () => {
		const { backend, node } = await open();
		for (let i = 0; i < 250; i++) node.join(socketOf(`${i}`), 'room');
		await pass(100);
		expect(node.link.batches.map(({ batch }) => batch.ops.length)).toEqual([100, 100, 50]);
		expect(node.link.mostInFlight).toBe(1);
		expect(await backend.store.count('room')).toMatchObject({ count: 250 });
	});

	it('of many topics are sent at the same time, but not of all at once', async () => {
		const { node } = await open();
		for (let i = 0; i < 1_000; i++) node.join(socketOf('ann'), `room:${i}`);
		await pass(200);
		expect(node.link.mostInFlight).toBe(64);
		expect(node.link.batches).toHaveLength(1_000);
	});

	it('during a step wait for the next one', async () => {
		const { backend, node } = await open();
		const ann = node.join(socketOf('ann'), 'room');
		await pass(26);
		expect(node.link.inFlight).toBe(1);
		node.close(ann);
		node.join(socketOf(), 'room');
		await pass(100);
		expect(sent(node).map((each) => each.split(':').slice(0, 2).join(':'))).toEqual([
			'room: put user',
			'room: linger user',
			'room: put socket',
		]);
		expect(await backend.store.count('room')).toMatchObject({ count: 2 });
	});
});

describe('leaving', () => {
	it('is stored after the delay for a user, at once without one', async () => {
		const { backend, node } = await open();
		const [ann, nobody] = [node.join(socketOf('ann'), 'room'), node.join(socketOf(), 'room')];
		await pass(100);
		backend.told();
		node.close(ann);
		node.close(nobody);
		await pass(100);
		expect(backend.told()).toEqual([`left socket:${nobody.data.socketId}`]);
		await pass(4_800);
		expect(backend.told()).toEqual([]);
		await pass(200);
		expect(backend.told()).toEqual(['left user:ann']);
		expect([...node.presence.members.topics()]).toEqual([]);
		expect(await backend.connections('room')).toEqual({});
	});

	it('is not told if the user comes back in time, here or on another node', async () => {
		const { backend, node } = await open();
		const other = new PresenceNode(backend.store);
		void other.presence.start();
		let socket = node.join(socketOf('ann'), 'room');
		await pass(100);
		for (const next of [node, other, node, node, other]) {
			for (const each of [node, other]) each.close(socket);
			await pass(3_000);
			socket = next.join(socketOf('ann'), 'room');
			await pass(100);
		}
		await pass(20_000);
		expect(backend.told()).toEqual(['joined user:ann']);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		expect([...node.presence.members.of('room')]).toEqual([]);
	});
});

describe('what fails', () => {
	it.each<Fate>(['failed', 'answer lost', 'late'])('is done again if the step %s, and reported once', async (fate) => {
		const { backend, node } = await open();
		const leaving = node.join(socketOf(), 'room');
		await pass(100);
		let failures = 3;
		node.link.fate = (call) => (call === 'apply' && failures-- > 0 ? fate : 'answered');
		node.join(socketOf('ann'), 'room');
		node.close(leaving);
		await pass(5_000);
		expect(failures).toBeLessThan(0);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		expect(backend.told().toSorted()).toEqual(
			['joined user:ann', `joined socket:${leaving.data.socketId}`, `left socket:${leaving.data.socketId}`].toSorted(),
		);
		expect(node.log.problems).toHaveLength(1);
		expect(node.log.problems[0]?.details).toMatchObject({ stage: 'presence' });
	});

	it('is not undone by what has happened since', async () => {
		const { backend, node } = await open();
		let failures = 1;
		node.link.fate = (call) => (call === 'apply' && failures-- > 0 ? 'answer lost' : 'answered');
		const nobody = node.join(socketOf(), 'room');
		await pass(26);
		node.close(nobody);
		expect([...node.presence.members.of('room')]).toEqual([]);
		await pass(3_000);
		expect(await backend.connections('room')).toEqual({});
		expect(backend.told()).toEqual([`joined socket:${nobody.data.socketId}`, `left socket:${nobody.data.socketId}`]);
		expect([...node.presence.members.topics()]).toEqual([]);
	});

	it('is not tried all the time while the backend is away, and done at once when it is back', async () => {
		const { backend, node } = await open();
		node.goAway();
		for (let i = 0; i < 1_000; i++) node.join(socketOf('ann'), `room:${i}`);
		await pass(9_000);
		expect(node.link.batches.length).toBeLessThan(300);
		expect(node.presence.members.get('room:1', 'user:ann')).toMatchObject({ connections: 1 });
		node.comeBack();
		await pass(150);
		expect((await backend.store.count('room:999')).count).toBe(1);
		expect(node.log.problems.filter(({ details }) => details?.['stage'] === 'presence')).toHaveLength(1);
		await pass(100);
		node.goAway();
		node.join(socketOf('bob'), 'room:1');
		await pass(1_000);
		expect(node.log.problems.filter(({ details }) => details?.['stage'] === 'presence')).toHaveLength(2);
	});

	it('is done again if there is no answer at all, and does not keep other topics back', async () => {
		const { backend, node } = await open();
		const { link } = node;
		const apply = link.apply.bind(link);
		let unanswered = 64;
		link.apply = (topic, batch) => (unanswered-- > 0 ? new Promise(() => {}) : apply(topic, batch));
		for (let i = 0; i < 100; i++) node.join(socketOf('ann'), `room:${i}`);
		await pass(15_000);
		for (let i = 0; i < 100; i++) expect((await backend.store.count(`room:${i}`)).count).toBe(1);
	});

	it('does not keep other topics back if only a part of the backend is away', async () => {
		const { backend, node } = await open();
		const { link } = node;
		const apply = link.apply.bind(link);
		let isAway = true;
		link.apply = (topic, batch) =>
			isAway && topic.startsWith('away') ? Promise.reject(new Error('no server')) : apply(topic, batch);
		for (let i = 0; i < 300; i++) node.join(socketOf('ann'), `away:${i}`);
		await pass(20_000);
		for (let i = 0; i < 300; i++) {
			node.join(socketOf('ann'), `here:${i}`);
			await pass(5);
		}
		await pass(1_500);
		for (let i = 0; i < 300; i++) expect((await backend.store.count(`here:${i}`)).count).toBe(1);
		isAway = false;
		await pass(8_000);
		for (let i = 0; i < 300; i++) expect((await backend.store.count(`away:${i}`)).count).toBe(1);
	});
});

describe('what the backend has lost', () => {
	it('is put again', async () => {
		const { backend, node } = await open();
		const [ann, bob] = [node.join(socketOf('ann'), 'room'), node.join(socketOf('bob'), 'hall')];
		await pass(100);
		sent(node);
		node.link.lose((topic) => topic === 'hall');
		await pass(50);
		expect(sent(node)).toEqual(['hall: put user:bob']);
		backend.store.clear();
		node.link.lose();
		await pass(1_500);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		expect(await backend.connections('hall')).toEqual({ 'user:bob': 1 });
		node.close(ann);
		node.close(bob);
		await pass(6_000);
		expect(await backend.connections('room')).toEqual({});
	});

	it('is put again also if a step was on its way meanwhile', async () => {
		const { backend, node } = await open();
		node.join(socketOf('ann'), 'room');
		await pass(28);
		expect(node.link.inFlight).toBe(1);
		expect((await backend.store.count('room')).count).toBe(1);
		backend.store.clear();
		node.link.lose();
		await pass(3_000);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
	});

	it('is put again also if only records were lost, and a step was on its way', async () => {
		const { backend, node } = await open();
		node.join(socketOf('ann'), 'room');
		await pass(28);
		expect(node.link.inFlight).toBe(1);
		const batch = node.link.batches[0]?.batch as PresenceBatch;
		await backend.store.apply('room', { ...batch, ops: [{ kind: 'remove', key: 'user:ann' }] });
		node.link.lose();
		await pass(100);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
	});

	it('is removed again, if it was a removal: the server of before still has the record', async () => {
		const { backend, node } = await open();
		node.join(socketOf('ann'), 'room');
		const bob = node.join(socketOf('bob'), 'room');
		await pass(100);
		const { batch } = node.link.batches[0] as { readonly batch: PresenceBatch };
		node.leave(bob, 'room');
		await pass(100);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
		await backend.store.apply('room', batch);
		node.link.lose((topic) => topic === 'hall');
		await pass(100);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1, 'user:bob': 1 });
		node.link.lose((topic) => topic === 'room');
		await pass(100);
		expect(await backend.connections('room')).toEqual({ 'user:ann': 1 });
	});

	it('does not block the loop, however many topics there are', async () => {
		const { backend, node } = await open();
		for (let i = 0; i < 20_000; i++) node.join(socketOf('ann'), `room:${i}`);
		await pass(3_000);
		sent(node);
		node.link.lose();
		expect(node.link.batches.length).toBeLessThanOrEqual(64);
		expect([...node.presence.members.topics()].filter(({ changes }) => changes !== undefined).length).toBeLessThan(300);
		await pass(3_000);
		expect(new Set(sent(node)).size).toBe(20_000);
		expect((await backend.store.count('room:1')).count).toBe(1);
	});
});

describe('settled', () => {
	it('waits until what has changed is stored, not for what changes later', async () => {
		const { backend, node } = await open();
		const { members } = node.presence;
		await members.settled('room');
		for (let i = 0; i < 150; i++) node.join(socketOf(`${i}`), 'room');
		let count: number | undefined;
		void members.settled('room').then(async () => (count = (await backend.store.count('room')).count));
		for (let i = 0; i < 30; i++) {
			await pass(2);
			node.join(socketOf(`late ${i}`), 'room');
		}
		expect(count).toBeGreaterThanOrEqual(150);
		expect(count).toBeLessThan(180);
	});

	it('does not wait for a backend that is away', async () => {
		const { node } = await open();
		const { members } = node.presence;
		node.goAway();
		node.join(socketOf('ann'), 'room');
		const settled = members.settled('room');
		await pass(100);
		await settled;
		await members.settled('room');
		node.comeBack();
		node.join(socketOf('bob'), 'hall');
		const other = members.settled('hall');
		node.goAway();
		await other;
	});
});
