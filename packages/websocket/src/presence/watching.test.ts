import { until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openCluster } from '../test-support/open-nodes.ts';
import { MemoryBackend } from '../testing/index.ts';
import { WsProvider } from '../ws-provider.ts';
import { PresenceClient } from '../test-support/presence-client.ts';
import { type Member, openNode, type TestNode } from '../test-support/test-node.ts';
import type { PresenceMember } from '../protocol/presence.ts';
import type { PresenceChange } from './presence-contract.ts';
import type { PresenceRules } from './presence-rules.ts';
import { INFO_IS_NEW_MS } from './presence-store.ts';

const ROOM = 'room:a';
const KEPT: PresenceRules = { 'room:*': { leaveDelayMs: 0 } };

function openOne(presence: PresenceRules = KEPT): Promise<TestNode> {
	return openNode({ presence, subprotocol: 'orijs.1' });
}

function enter(node: TestNode, userId?: string, topic = ROOM): Promise<Member> {
	return node.connect({ ...(userId !== undefined && { userId }), topics: new Set([topic]) });
}

async function watcher(node: TestNode, member: Member, topic = ROOM): Promise<PresenceClient> {
	const client = new PresenceClient(node, member, topic);
	await client.watch();
	return client;
}

/** Waits until a client sees these members, in any order. */
function untilSees(client: PresenceClient, ...keys: string[]): Promise<void> {
	const wanted = JSON.stringify(keys.toSorted());
	return until(() => JSON.stringify(Object.keys(client.seen())) === wanted, {
		what: () => `${wanted} are seen, not ${JSON.stringify(Object.keys(client.seen()))}`,
	});
}

describe('who watches a topic', () => {
	it('sees itself in the first answer, and then what changes', async () => {
		const node = await openOne();
		const ann = await enter(node, 'ann');
		const seen = await watcher(node, ann);
		await until(() => seen.read().count === 1, { what: 'the answer arrives' });
		expect(seen.seen()).toEqual({ 'user:ann': { connections: 1, info: undefined } });
		const bob = await enter(node, 'bob');
		await untilSees(seen, 'user:ann', 'user:bob');
		node.provider.socketPresence.setOwnInfo(bob.id, ROOM, { mood: 'good' });
		await until(() => seen.seen()['user:bob']?.info !== undefined, { what: 'the info arrives' });
		expect(seen.seen()['user:bob']).toEqual({ connections: 1, info: { mood: 'good' } });
		await bob.client.close();
		await untilSees(seen, 'user:ann');
		expect(seen.notices.map(({ joined, left, updated }) => [joined?.length, left, updated?.length])).toEqual([
			[1, undefined, undefined],
			[undefined, undefined, 1],
			[undefined, ['user:bob'], undefined],
		]);
	});

	it('is not sent other topics, nor anything after unwatch', async () => {
		const node = await openOne();
		const ann = await enter(node, 'ann');
		await node.provider.subscribe(ann.id, 'room:b', { by: 'client' });
		const a = await watcher(node, ann);
		const b = await watcher(node, ann, 'room:b');
		expect(node.provider.socketPresence.watchedBy(ann.id)).toBe(2);
		a.unwatch();
		a.unwatch();
		expect(node.provider.socketPresence.watchedBy(ann.id)).toBe(1);
		const bob = await enter(node, 'bob');
		await node.provider.subscribe(bob.id, 'room:b', { by: 'client' });
		await untilSees(b, 'user:ann', 'user:bob');
		expect(a.read().notices).toEqual([]);
		expect(node.server.subscriberCount('*room:a')).toBe(0);
	});

	it('is told the net effect of a storm in a few frames', async () => {
		const node = await openOne({ 'room:*': { leaveDelayMs: 0, membersUpTo: 10_000 } });
		const ann = await enter(node, 'ann');
		const seen = await watcher(node, ann);
		const others = await Promise.all(Array.from({ length: 200 }, () => node.connect()));
		const joins = 5_000;
		const began = performance.now();
		// Each socket joins and leaves, over and over, and is in the topic in the end.
		for (let i = 0; i < joins; i++) {
			const { id } = others[i % others.length] as Member;
			if (i >= others.length) await node.provider.unsubscribe(id, ROOM, { by: 'client' });
			await node.provider.subscribe(id, ROOM, { by: 'client' });
			const due = began + (i * 1_000) / joins;
			if (performance.now() < due) await Bun.sleep(1);
		}
		const seconds = (performance.now() - began) / 1_000;
		await until(() => seen.read().members.size === others.length + 1, { what: 'all members are seen' });
		expect(seen.notices.length).toBeLessThanOrEqual(2 + Math.ceil(seconds * 4));
		expect(seen.watches).toBe(1);
	});

	it('does not hear of someone who was there only between two notices', async () => {
		const node = await openOne();
		const ann = await enter(node, 'ann');
		const early = await watcher(node, ann);
		const cid = await enter(node, 'cid');
		await untilSees(early, 'user:ann', 'user:cid');
		const bob = await enter(node, 'bob');
		const watching = watcher(node, cid);
		await Bun.sleep(10);
		node.provider.removeConnection(bob.id);
		const late = await watching;
		await enter(node, 'dan');
		for (const client of [early, late]) {
			await untilSees(client, 'user:ann', 'user:cid', 'user:dan');
			expect(client.notices.at(-1)).toMatchObject({ count: 3, joined: [{ key: 'user:dan' }] });
			expect([client.faults, client.notices.flatMap(({ left = [] }) => left)]).toEqual([[], []]);
		}
	});

	it('is sent at most 100 members, and asks for the rest', async () => {
		const node = await openOne();
		const all = await Promise.all(Array.from({ length: 130 }, (_, i) => enter(node, `u${i}`)));
		const { socketPresence } = node.provider;
		const { id } = all[0] as Member;
		const pages: (readonly string[] | undefined)[] = [];
		await socketPresence.watch(id, ROOM, ({ members, hasMore, count }) => {
			pages.push(members.map(({ key }) => key));
			expect([hasMore, count]).toEqual([true, 130]);
		});
		const rest = socketPresence.page(id, ROOM, pages[0]?.at(-1) as string);
		expect(rest?.hasMore).toBe(false);
		const keys = [...(pages[0] ?? []), ...(rest?.members ?? []).map(({ key }) => key)];
		expect(pages[0]).toHaveLength(100);
		expect(keys).toEqual(Array.from({ length: 130 }, (_, i) => `user:u${i}`).toSorted());
		expect(socketPresence.page((all[1] as Member).id, ROOM, 'user:u0')).toBeUndefined();
	});

	it('is sent no more than 64 KiB at a time', async () => {
		const node = await openOne();
		const all = await Promise.all(Array.from({ length: 20 }, (_, i) => enter(node, `u${i}`)));
		for (const { id } of all) node.provider.socketPresence.setOwnInfo(id, ROOM, { text: 'x'.repeat(10_000) });
		let members: readonly unknown[] = [];
		await node.provider.socketPresence.watch((all[0] as Member).id, ROOM, (watched) => (members = watched.members));
		expect(members).toHaveLength(6);
	});

	it('is told only the number above membersUpTo, and the members again below it', async () => {
		const node = await openOne({ 'room:*': { leaveDelayMs: 0, membersUpTo: 10 } });
		const ann = await enter(node, 'ann');
		const seen = await watcher(node, ann);
		const others = await Promise.all(Array.from({ length: 12 }, (_, i) => enter(node, `u${i}`)));
		await until(() => seen.read().count === 13, { what: 'all are counted' });
		expect([seen.areMembersKnown, seen.members.size]).toEqual([false, 0]);
		expect(seen.notices.at(-1)).toMatchObject({ count: 13, isCountOnly: true });
		for (const { client } of others.slice(0, 5)) await client.close();
		await until(() => seen.read().areMembersKnown && seen.members.size === 8, { what: 'the members are seen again' });
		expect(seen.count).toBe(8);
		expect(seen.watches).toBe(2);
	});

	it('is told only the number with events: count', async () => {
		const node = await openOne({ 'room:*': { leaveDelayMs: 0, events: 'count' } });
		const ann = await enter(node, 'ann');
		const seen = await watcher(node, ann);
		const bob = await enter(node, 'bob');
		await until(() => seen.read().count === 2, { what: 'both are counted' });
		await bob.client.close();
		await until(() => seen.read().count === 1, { what: 'one is counted' });
		expect(seen.notices.every(({ isCountOnly, joined }) => isCountOnly === true && joined === undefined)).toBe(true);
		expect((await node.provider.presence.members(ROOM)).members).toHaveLength(1);
	});

	it('is sent only what its own provider tells, of several that share a server', async () => {
		const node = await openOne();
		const other = new WsProvider({ presence: KEPT });
		onTestFinished(() => other.stop());
		other.setServer(node.server);
		await other.start();
		const ann = await enter(node, 'ann');
		const seen = await watcher(node, ann);
		const guest = await node.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set(), userId: 'bob' });
		node.provider.removeConnection(guest.ws.data.socketId);
		await other.addConnection(guest.ws);
		await other.subscribe(guest.ws.data.socketId, ROOM);
		expect(await other.presence.count(ROOM)).toBe(1);
		await enter(node, 'cid');
		await untilSees(seen, 'user:ann', 'user:cid');
		expect(seen.notices).toHaveLength(1);
	});

	it('is counted in the first answer, where only counts are told', async () => {
		const rules: PresenceRules = { 'room:*': { events: 'count', leaveDelayMs: 0 }, 'hall:*': { membersUpTo: 1 } };
		const { nodes } = await openCluster(2, { presence: rules });
		const [here] = nodes as [TestNode, TestNode];
		for (const topic of [ROOM, 'hall:a']) {
			for (const node of nodes) await enter(node, undefined, topic);
			await until(async () => (await here.provider.presence.count(topic)) === 2, { what: 'two are in the topic' });
			const counts: number[] = [];
			for (const node of [...nodes, ...nodes]) {
				const { id } = await enter(node, undefined, topic);
				await node.provider.socketPresence.watch(id, topic, ({ count }) => counts.push(count));
			}
			expect(counts).toEqual([3, 4, 5, 6]);
		}
	});

	it('keeps watching when the server is set late, or again', async () => {
		const node = await openNode({ presence: KEPT, subprotocol: 'orijs.1', setServer: false });
		const ann = await enter(node, 'ann');
		const seen = await watcher(node, ann);
		await enter(node, 'bob');
		await untilSees(seen, 'user:ann', 'user:bob');
		node.provider.setServer(node.server);
		await enter(node, 'cid');
		await untilSees(seen, 'user:ann', 'user:bob', 'user:cid');
		node.provider.setServer(node.server);
		await enter(node, 'dan');
		await untilSees(seen, 'user:ann', 'user:bob', 'user:cid', 'user:dan');
	});
});

describe('on several nodes', () => {
	it('members of all nodes are seen, by user', async () => {
		const { nodes } = await openCluster(3, { presence: KEPT });
		const [here, there, third] = nodes as [TestNode, TestNode, TestNode];
		const ann = await enter(here, 'ann');
		const seen = await watcher(here, ann);
		const bob = await enter(there, 'bob');
		await enter(third, 'bob');
		await until(() => seen.seen()['user:bob']?.connections === 2, { what: 'bob has two connections' });
		await bob.client.close();
		await until(() => seen.seen()['user:bob']?.connections === 1, { what: 'bob has one connection' });
		expect(await there.provider.presence.count(ROOM)).toBe(2);
		expect((await third.provider.presence.members(ROOM)).members.map(({ key }) => key)).toEqual([
			'user:ann',
			'user:bob',
		]);
	});

	it('while one is cut off, it sees its own, and what it knew of others, as stale', async () => {
		const { nodes, buses, backend } = await openCluster(2, { presence: KEPT });
		const [here, there] = nodes as [TestNode, TestNode];
		const gaps: string[] = [];
		here.provider.onGap(({ topic }) => gaps.push(topic));
		const ann = await enter(here, 'ann');
		const seen = await watcher(here, ann);
		await enter(there, 'bob');
		await untilSees(seen, 'user:ann', 'user:bob');
		const [bus] = buses;
		if (bus === undefined) throw new Error('no bus');
		backend.cut(bus);
		await until(() => seen.read().isStale, { what: 'it is stale' });
		const cid = await enterWithout(here, 'cid');
		await untilSees(seen, 'user:ann', 'user:bob', 'user:cid');
		await enter(there, 'dan');
		await cid.client.close();
		await untilSees(seen, 'user:ann', 'user:bob');
		expect(seen.isStale).toBe(true);
		backend.restore(bus);
		await untilSees(seen, 'user:ann', 'user:bob', 'user:dan');
		await until(() => !seen.read().isStale, { what: 'it is up to date' });
		expect(seen.notices.filter(({ isStale }) => isStale).length).toBe(3);
		here.provider.flushGaps();
		expect(new Set(gaps)).toEqual(new Set([ROOM, '*']));
		expect([here.provider.getTopicCount(), here.provider.status]).toEqual([1, 'ready']);
		expect(seen.watches).toBe(1);
	});

	it('while one is cut off, no one leaves: they may have come to another one', async () => {
		const { nodes, buses, backend } = await openCluster(2, { presence: KEPT });
		const [here, there] = nodes as [TestNode, TestNode];
		const seen = await watcher(here, await enter(here, 'ann'));
		const moving = await enter(here, 'bob');
		const leaving = await enter(here, 'cid');
		await untilSees(seen, 'user:ann', 'user:bob', 'user:cid');
		await until(async () => (await backendKeys(there)).length === 3, { what: 'all are stored' });
		const [bus] = buses;
		if (bus === undefined) throw new Error('no bus');
		backend.cut(bus);
		await until(() => seen.read().isStale, { what: 'it is stale' });
		await enter(there, 'bob');
		await moving.client.close();
		await leaving.client.close();
		await enterWithout(here, 'dan');
		await untilSees(seen, 'user:ann', 'user:bob', 'user:cid', 'user:dan');
		backend.restore(bus);
		await untilSees(seen, 'user:ann', 'user:bob', 'user:dan');
		expect(seen.read().notices.flatMap(({ left = [] }) => left)).toEqual(['user:cid']);
	});

	it('if the backend loses everything, no one leaves', async () => {
		const { nodes, backend } = await openCluster(2, { presence: KEPT });
		const [here, there] = nodes as [TestNode, TestNode];
		const ann = await enter(here, 'ann');
		const seen = await watcher(here, ann);
		await enter(there, 'bob');
		await untilSees(seen, 'user:ann', 'user:bob');
		backend.losePresence();
		await enter(there, 'cid');
		await untilSees(seen, 'user:ann', 'user:bob', 'user:cid');
		await until(async () => (await backendKeys(there)).length === 3, { what: 'all are put back' });
		expect(seen.read().notices.flatMap(({ left = [] }) => left)).toEqual([]);
	});

	it('if the backend loses everything, who is on several nodes stays as they were, in whatever order they are put back', async () => {
		const { nodes, backend } = await openCluster(2, { presence: KEPT });
		const [here, there] = nodes as [TestNode, TestNode];
		const seen = await watcher(here, await enter(here, 'ann'));
		const first = await enter(there, 'bob');
		const second = await enter(here, 'bob');
		const bob = (): unknown => seen.seen()['user:bob'];
		there.provider.socketPresence.setOwnInfo(first.id, ROOM, { mood: 'fine' });
		await until(() => Bun.deepEquals(bob(), { connections: 2, info: { mood: 'fine' } }), { what: 'the first info' });
		here.provider.socketPresence.setOwnInfo(second.id, ROOM, { mood: 'better' });
		await until(() => Bun.deepEquals(bob(), { connections: 2, info: { mood: 'better' } }), { what: 'the second' });
		const setAt = performance.now();
		await until(() => performance.now() > setAt + INFO_IS_NEW_MS, { what: 'it is not new any longer' });
		const told = seen.read().notices.length;
		backend.losePresence();
		await enter(there, 'cid');
		await untilSees(seen, 'user:ann', 'user:bob', 'user:cid');
		await second.client.close();
		await until(() => Bun.deepEquals(bob(), { connections: 1, info: { mood: 'fine' } }), {
			what: () => `what is left of them is seen, not ${JSON.stringify(bob())}`,
			timeoutMs: 7_000,
		});
		expect(seen.notices.slice(told).flatMap(({ updated = [] }) => updated)).toHaveLength(1);
	}, 20_000);

	it('if one puts back later what the backend has lost, it is the info set last that counts', async () => {
		const { nodes, backend } = await openCluster(2, { presence: KEPT });
		const [here, there] = nodes as [TestNode, TestNode];
		const later = await enter(here, 'bob');
		const sooner = await enter(there, 'bob');
		const info = async (): Promise<unknown> => (await there.provider.presence.members(ROOM)).members[0]?.info;
		there.provider.socketPresence.setOwnInfo(sooner.id, ROOM, { mood: 'fine' });
		await until(async () => Bun.deepEquals(await info(), { mood: 'fine' }), { what: 'the first info is stored' });
		here.provider.socketPresence.setOwnInfo(later.id, ROOM, { mood: 'better' });
		await until(async () => Bun.deepEquals(await info(), { mood: 'better' }), { what: 'the info is stored' });
		const setAt = performance.now();
		await until(() => performance.now() > setAt + INFO_IS_NEW_MS, { what: 'it is not new any longer' });
		for (const node of [here, there]) {
			backend.losePresence();
			await enter(node, `of ${node.provider.nodeId}`);
			await until(async () => (await there.provider.presence.members(ROOM)).members[0]?.connections === 2, {
				what: 'both have put it back',
			});
			expect(await info()).toEqual({ mood: 'better' });
		}
	});

	it('who moves to another node within leaveDelayMs neither leaves nor joins', async () => {
		const { nodes } = await openCluster(3, { presence: { 'room:*': { leaveDelayMs: 300 } } });
		const changes: PresenceChange[][] = [[], [], []];
		for (const [i, { provider }] of nodes.entries()) {
			provider.presence.onChange(ROOM, (change) => changes[i]?.push(change));
			await provider.presence.members(ROOM);
		}
		let bob = await enter(nodes[0] as TestNode, 'bob');
		await until(() => changes.every(({ length }) => length === 1), { what: 'all see bob' });
		for (const i of [1, 2, 0]) {
			await bob.client.close();
			bob = await enter(nodes[i] as TestNode, 'bob');
			// Longer than he would have lingered on the node that he has left.
			await Bun.sleep(400);
		}
		for (const of of changes) {
			expect(of.flatMap(({ joined }) => joined.map(({ key }) => key))).toEqual(['user:bob']);
			expect(of.flatMap(({ left }) => left)).toEqual([]);
		}
		await bob.client.close();
		await until(() => changes.every((of) => of.at(-1)?.left.length === 1), { what: 'all see bob leave' });
	});

	it('a channel that the backend refuses at first is subscribed later', async () => {
		const backend = new MemoryBackend({ liveness: true });
		const bus = backend.createBus();
		let refusals = 0;
		const refusing = {
			...bus,
			subscribe: (channels: readonly string[]) => {
				if (!channels.includes(`*${ROOM}`) || refusals === 2) return bus.subscribe(channels);
				refusals++;
				return Promise.reject(new Error('refused'));
			},
		};
		const options = { presence: KEPT, subprotocol: 'orijs.1', heartbeatMs: 100 };
		const here = await openNode({ ...options, bus: refusing });
		const there = await openNode({ ...options, bus: backend.createBus() });
		const ann = await enter(here, 'ann');
		const seen = await watcher(here, ann);
		await enter(there, 'bob');
		await untilSees(seen, 'user:ann', 'user:bob');
		expect(refusals).toBe(2);
		expect([...here.provider.getTopicSubscribers(ROOM)]).toEqual([ann.id]);
		expect(here.log.errors.every(({ message }) => message.includes('(subscribe)'))).toBe(true);
	});

	it('info is changed on every node that has the member', async () => {
		const { nodes } = await openCluster(2, { presence: KEPT });
		const [here, there] = nodes as [TestNode, TestNode];
		const ann = await enter(here, 'ann');
		const seen = await watcher(here, ann);
		await enter(there, 'bob');
		const result = await here.provider.presence.update(ROOM, 'user:bob', { mood: 'good', gone: undefined });
		expect(result).toMatchObject({ answered: 2, sockets: 1 });
		await until(() => seen.seen()['user:bob']?.info !== undefined, { what: 'the info arrives' });
		expect(seen.seen()['user:bob']?.info).toEqual({ mood: 'good' });
		await here.provider.presence.update(ROOM, 'user:bob', { mood: undefined });
		await until(() => seen.seen()['user:bob']?.info === undefined, { what: 'the info is removed' });
	});

	it('members are there since a time by the clock of the backend, however many join at once', async () => {
		const { backend, nodes } = await openCluster(1, { presence: KEPT });
		const [node] = nodes as [TestNode];
		const aheadMs = 600_000;
		backend.moveClock(aheadMs);
		const ann = await enter(node, 'ann');
		const seen = await watcher(node, ann);
		await watcher(node, ann, 'room:b');
		const isRight = ({ since }: PresenceMember): boolean => Math.abs(since - Date.now() - aheadMs) < 60_000;
		for (const count of [11, 21, 31]) {
			await Promise.all(Array.from({ length: 10 }, () => enter(node)));
			const areRight = (): boolean => seen.read().count === count && [...seen.members.values()].every(isRight);
			await until(areRight, { what: 'the backend has told its times' });
		}
		// The backend does not know of it yet.
		void node.provider.subscribe(ann.id, 'room:b', { by: 'client' });
		const { members } = await node.provider.presence.members('room:b');
		expect(members.map(isRight)).toEqual([true]);
	});

	it('listeners are told each change once', async () => {
		const { nodes } = await openCluster(2, { presence: KEPT });
		const [here, there] = nodes as [TestNode, TestNode];
		const changes: PresenceChange[] = [];
		const stop = here.provider.presence.onChange(ROOM, (change) => changes.push(change));
		expect((await here.provider.presence.members(ROOM)).members).toEqual([]);
		const bob = await enter(there, 'bob');
		await until(() => changes.length === 1, { what: 'bob is there' });
		await bob.client.close();
		await until(() => changes.length === 2, { what: 'bob has left' });
		expect(changes.map(({ joined, left, count }) => [joined.length, left.length, count])).toEqual([
			[1, 0, 1],
			[0, 1, 0],
		]);
		stop();
		stop();
		await enter(there, 'cid');
		await until(async () => (await here.provider.presence.count(ROOM)) === 1, { what: 'cid is there' });
		expect(changes).toHaveLength(2);
	});
});

/** Like `enter`, while the backend is away, so that nothing is confirmed. */
async function enterWithout(node: TestNode, userId: string): Promise<Member> {
	const id = crypto.randomUUID();
	const attempt = await node.attempt({ socketId: id, data: {}, topics: new Set([ROOM]), userId });
	return { ...attempt, id };
}

async function backendKeys({ provider }: TestNode): Promise<string[]> {
	return (await provider.presence.members(ROOM)).members.map(({ key }) => key);
}
