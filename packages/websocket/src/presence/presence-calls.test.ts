import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import {
	InvalidOptionError,
	InvalidPresenceInfoError,
	InvalidTopicError,
	NotPresentError,
	type PresenceChange,
	PresenceNotKeptError,
	PresenceUnavailableError,
	ProviderNotStartedError,
	ProviderStoppedError,
	UnknownSocketError,
	WsProvider,
} from '../index.ts';
import { openCluster } from '../test-support/open-nodes.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import { MemoryBackend } from '../testing/index.ts';

const ROOM = 'room:a';
const KEPT = { 'room:*': { leaveDelayMs: 0 }, 'quiet:*': { events: 'none' } } as const;

function open(): Promise<TestNode> {
	return openNode({ presence: KEPT, subprotocol: 'orijs.1' });
}

describe('calls', () => {
	it.each<[string, (node: TestNode) => unknown, new (...args: never[]) => Error, RegExp]>([
		['members of no topic', (n) => n.provider.presence.members('*'), InvalidTopicError, /topic/],
		['members that are not kept', (n) => n.provider.presence.members('x'), PresenceNotKeptError, /"x" is not kept/],
		['limit 0', (n) => n.provider.presence.members(ROOM, { limit: 0 }), InvalidOptionError, /from 1 to 1000, not 0/],
		['limit 1001', (n) => n.provider.presence.members(ROOM, { limit: 1_001 }), InvalidOptionError, /limit of/],
		[
			'after no key',
			(n) => n.provider.presence.members(ROOM, { after: 3 as never }),
			InvalidOptionError,
			/after must be/,
		],
		[
			'an unknown option',
			(n) => n.provider.presence.members(ROOM, { max: 3 } as never),
			InvalidOptionError,
			/option max/,
		],
		['the count of no topic', (n) => n.provider.presence.count(''), InvalidTopicError, /topic/],
		['a count that is not kept', (n) => n.provider.presence.count('x'), PresenceNotKeptError, /"x"/],
		['text as a listener', (n) => n.provider.presence.onChange(ROOM, 'x' as never), InvalidOptionError, /function/],
		['changes that are not kept', (n) => n.provider.presence.onChange('x', () => {}), PresenceNotKeptError, /"x"/],
		[
			'changes that are not told',
			(n) => n.provider.presence.onChange('quiet:a', () => {}),
			InvalidOptionError,
			/events: 'none'/,
		],
		['an update that is not kept', (n) => n.provider.presence.update('x', 'user:a', {}), PresenceNotKeptError, /"x"/],
		['an update of no key', (n) => n.provider.presence.update(ROOM, 1 as never, {}), InvalidOptionError, /key must be/],
		[
			'an update of the id of a user',
			(n) => n.provider.presence.update(ROOM, 'ada', {}),
			InvalidOptionError,
			/such as user:42 .* not "ada"/,
		],
		[
			'an update with a list',
			(n) => n.provider.presence.update(ROOM, 'user:a', [] as never),
			InvalidPresenceInfoError,
			/JSON object/,
		],
		[
			'an update that is too large',
			(n) => n.provider.presence.update(ROOM, 'user:a', { text: 'x'.repeat(20_000) }),
			InvalidPresenceInfoError,
			/16384 bytes/,
		],
		['watching no topic', (n) => n.provider.socketPresence.watch('x', '', () => {}), InvalidTopicError, /topic/],
		[
			'watching what is not kept',
			(n) => n.provider.socketPresence.watch('x', 'x', () => {}),
			PresenceNotKeptError,
			/"x"/,
		],
		[
			'watching what is not told',
			(n) => n.provider.socketPresence.watch('x', 'quiet:a', () => {}),
			InvalidOptionError,
			/events: 'none'/,
		],
		[
			'watching without a socket',
			(n) => n.provider.socketPresence.watch(crypto.randomUUID(), ROOM, () => {}),
			UnknownSocketError,
			/Socket/,
		],
		['info without a socket', (n) => n.provider.socketPresence.setOwnInfo('x', ROOM, {}), NotPresentError, /"x"/],
		['info that is not kept', (n) => n.provider.socketPresence.infoWith('x', 'x', {}), PresenceNotKeptError, /"x"/],
		['no describer', (n) => n.provider.socketPresence.describeBy(1 as never), InvalidOptionError, /function/],
	])('refuse %s', async (_, call, error, message) => {
		const node = await open();
		const result = async (): Promise<unknown> => call(node);
		await expect(result()).rejects.toThrow(error);
		await expect(result()).rejects.toThrow(message);
	});

	it('refuse everything without the option', async () => {
		const { provider } = await openNode();
		const { presence, socketPresence } = provider;
		await expect(presence.members(ROOM)).rejects.toThrow(PresenceNotKeptError);
		await expect(presence.count(ROOM)).rejects.toThrow(PresenceNotKeptError);
		await expect(presence.update(ROOM, 'user:a', {})).rejects.toThrow(PresenceNotKeptError);
		expect(() => presence.onChange(ROOM, () => {})).toThrow(PresenceNotKeptError);
		expect(socketPresence.isKept(ROOM)).toBe(false);
		expect(socketPresence.isWatchable(ROOM)).toBe(false);
		expect(socketPresence.watchedBy('x')).toBe(0);
		expect(socketPresence.page('x', ROOM, 'x')).toBeUndefined();
		socketPresence.refresh('x');
		socketPresence.unwatch('x', ROOM);
		socketPresence.describeBy(() => undefined)();
	});

	it('need a provider that runs', async () => {
		const backend = new MemoryBackend();
		const { provider } = await openNode({ presence: KEPT, bus: backend.createBus(), start: false });
		await expect(provider.presence.members(ROOM)).rejects.toThrow(ProviderNotStartedError);
		await provider.start();
		expect(await provider.presence.count(ROOM)).toBe(0);
		await provider.stop();
		await expect(provider.presence.count(ROOM)).rejects.toThrow(ProviderStoppedError);
	});

	it('say what is kept and told', async () => {
		const { socketPresence } = (await open()).provider;
		expect([ROOM, 'quiet:a', 'x'].map((topic) => socketPresence.isKept(topic))).toEqual([true, true, false]);
		expect([ROOM, 'quiet:a', 'x'].map((topic) => socketPresence.isWatchable(topic))).toEqual([true, false, false]);
	});
});

it('an update that is too large together with the rest changes nothing, and is logged', async () => {
	const node = await openNode({ presence: KEPT });
	await node.connect({ userId: 'a', topics: new Set([ROOM]) });
	const { presence } = node.provider;
	expect(await presence.update(ROOM, 'user:a', { one: 'x'.repeat(10_000) })).toMatchObject({ sockets: 1 });
	expect(await presence.update(ROOM, 'user:a', { two: 'x'.repeat(10_000) })).toMatchObject({ sockets: 0 });
	expect((await presence.members(ROOM)).members[0]?.info).toHaveProperty('one');
	await node.log.untilErrors(1);
	expect(node.log.errors[0]?.details).toMatchObject({ stage: 'presence', topic: ROOM, key: 'user:a' });
});

it('a transport that cannot keep presence is refused', () => {
	const bus = { ...new MemoryBackend().createBus(), presence: undefined };
	expect(() => new WsProvider({ bus, presence: KEPT })).toThrow(InvalidOptionError);
	expect(() => new WsProvider({ bus, presence: KEPT })).toThrow('presence is not available');
});

it('members are read page by page, watched or not', async () => {
	const node = await open();
	const { presence } = node.provider;
	for (const userId of ['é', 'b', 'a', 'c']) await node.connect({ userId, topics: new Set([ROOM, 'quiet:a']) });
	const keysOf = async (topic: string, after?: string): Promise<string[]> => {
		const { members, hasMore, count } = await presence.members(topic, { limit: 2, after });
		expect([hasMore, count]).toEqual([after === undefined, 4]);
		return members.map(({ key }) => key);
	};
	for (const isWatched of [false, true]) {
		const stop = isWatched ? presence.onChange(ROOM, () => {}) : () => {};
		expect(await keysOf(ROOM)).toEqual(['user:a', 'user:b']);
		expect(await keysOf(ROOM, 'user:b')).toEqual(['user:c', 'user:é']);
		expect(await keysOf('quiet:a')).toEqual(['user:a', 'user:b']);
		stop();
	}
});

it('a socket is described by what the server knows and what it adds itself', async () => {
	const node = await open();
	const { presence, socketPresence } = node.provider;
	let name = 'Ann';
	const stop = socketPresence.describeBy((socket, topic) => ({ name, id: socket.data.userId, topic }));
	const ann = await node.connect({ userId: 'ann', topics: new Set([ROOM]) });
	const infoOf = async (): Promise<unknown> => (await presence.members(ROOM)).members[0]?.info;
	expect(await infoOf()).toEqual({ name: 'Ann', id: 'ann', topic: ROOM });
	expect(socketPresence.infoWith(ann.id, ROOM, { name: 'Eve', mood: 'good' })).toMatchObject({
		name: 'Ann',
		mood: 'good',
	});
	socketPresence.setOwnInfo(ann.id, ROOM, { name: 'Eve', mood: 'good' });
	expect(await infoOf()).toEqual({ name: 'Ann', id: 'ann', topic: ROOM, mood: 'good' });
	name = 'Anna';
	socketPresence.refresh(ann.id);
	expect(await infoOf()).toMatchObject({ name: 'Anna', mood: 'good' });
	stop();
	socketPresence.refresh(ann.id);
	expect(await infoOf()).toEqual({ name: 'Eve', mood: 'good' });
});

it('a listener that fails is logged, and does not disturb the others', async () => {
	const node = await open();
	const { presence } = node.provider;
	let calls = 0;
	presence.onChange(ROOM, () => {
		throw new Error('mine');
	});
	presence.onChange(ROOM, () => ++calls);
	await presence.members(ROOM);
	await node.connect({ userId: 'ann', topics: new Set([ROOM]) });
	await until(() => calls === 1, { what: 'the other one is called' });
	expect(node.log.errors.map(({ message }) => message).join()).toMatch(/presence\.onChange.*mine/);
});

it.each(['in this process', 'at a backend'])(
	'with members %s, a listener from before the start is told nothing stale',
	async (where) => {
		const bus = where === 'at a backend' ? { bus: new MemoryBackend().createBus() } : {};
		const node = await openNode({ presence: KEPT, subprotocol: 'orijs.1', start: false, ...bus });
		const changes: [count: number, isStale: boolean][] = [];
		node.provider.presence.onChange(ROOM, ({ count, isStale }) => changes.push([count, isStale]));
		await node.provider.start();
		await node.connect({ userId: 'ann', topics: new Set([ROOM]) });
		expect(await node.provider.presence.members(ROOM)).toMatchObject({ count: 1, isStale: false });
		await until(() => changes.length > 0, { what: 'the listener is called' });
		expect(changes).toEqual([[1, false]]);
	},
);

it('while the backend is away, members are unavailable, unless some are known here', async () => {
	const { nodes, buses, backend } = await openCluster(2, { presence: KEPT });
	const [here, there] = nodes as [TestNode, TestNode];
	await there.connect({ userId: 'bob', topics: new Set([ROOM]) });
	const ann = await here.connect({ userId: 'ann', topics: new Set(['room:b']) });
	const stop = here.provider.presence.onChange(ROOM, () => {});
	await until(async () => (await here.provider.presence.count(ROOM)) === 1, { what: 'bob is there' });
	backend.cut(buses[0] as never);
	expect(await here.provider.presence.members(ROOM)).toMatchObject({ count: 1, isStale: true });
	const { presence, socketPresence } = here.provider;
	await expect(presence.members('room:c')).rejects.toThrow(PresenceUnavailableError);
	await expect(presence.count('room:c')).rejects.toThrow(PresenceUnavailableError);
	await expect(socketPresence.watch(ann.id, 'room:c', () => {})).rejects.toThrow(PresenceUnavailableError);
	let known: unknown;
	await socketPresence.watch(ann.id, 'room:b', (members) => (known = members));
	expect(known).toMatchObject({ count: 1, isStale: true, areMembersKnown: true, members: [{ key: 'user:ann' }] });
	backend.restore(buses[0] as never);
	await until(async () => !(await presence.members(ROOM)).isStale, { what: 'the members are up to date' });
	stop();
});

it('unwatch and leaving end a watch that waits for its answer', async () => {
	const node = await open();
	const { socketPresence } = node.provider;
	const ann = await node.connect({ userId: 'ann', topics: new Set([ROOM]) });
	const bob = await node.connect({ userId: 'bob', topics: new Set([ROOM]) });
	let answers = 0;
	const watches = [ann, bob].map(({ id }) => socketPresence.watch(id, ROOM, () => answers++));
	expect(socketPresence.watchedBy(ann.id)).toBe(1);
	socketPresence.unwatch(ann.id, ROOM);
	node.provider.removeConnection(bob.id);
	await Promise.all(watches);
	expect([answers, socketPresence.watchedBy(ann.id), socketPresence.watchedBy(bob.id)]).toEqual([0, 0, 0]);
});

it('starts and stops of a single node may overlap', async () => {
	const node = await open();
	const { provider } = node;
	await node.connect({ userId: 'ann', topics: new Set([ROOM]) });
	void provider.start();
	void provider.stop();
	void provider.start();
	await until(async () => (await provider.presence.count(ROOM)) === 1, { what: 'ann is there' });
	void provider.stop();
	void provider.start();
	await provider.stop();
	await expect(provider.presence.count(ROOM)).rejects.toThrow(ProviderStoppedError);
	await provider.start();
	await until(async () => (await provider.presence.count(ROOM)) === 1, { what: 'ann is there' });
});

it('after another start, members and watchers are as before', async () => {
	const backend = new MemoryBackend();
	const options = { presence: KEPT, graceMs: 50, subprotocol: 'orijs.1' };
	const here = await openNode({ ...options, bus: backend.createBus() });
	const there = await openNode({ ...options, bus: backend.createBus() });
	const counts: number[] = [];
	here.provider.presence.onChange(ROOM, ({ count }) => counts.push(count));
	await here.connect({ userId: 'ann', topics: new Set([ROOM]) });
	await until(() => counts.at(-1) === 1, { what: 'ann is there' });
	await here.provider.stop();
	await until(async () => (await there.provider.presence.count(ROOM)) === 0, { what: 'she is gone elsewhere' });
	await here.provider.start();
	await until(async () => (await there.provider.presence.count(ROOM)) === 1, { what: 'she is there again' });
	await there.connect({ userId: 'bob', topics: new Set([ROOM]) });
	await until(() => counts.at(-1) === 2, { what: 'both are there' });
	expect(await here.provider.presence.count(ROOM)).toBe(2);
});

it('members, their info, and lists of changes are frozen, as several listeners are given the same ones', async () => {
	const node = await open();
	const { presence, socketPresence } = node.provider;
	const changes: PresenceChange[] = [];
	presence.onChange(ROOM, (change) => changes.push(change));
	const { id } = await node.connect({ userId: 'ann', topics: new Set([ROOM]) });
	const info = { tags: ['new'] };
	socketPresence.setOwnInfo(id, ROOM, info);
	const { members } = await presence.members(ROOM);
	await until(() => changes.length === 2, { what: 'the info is told' });
	const [joined, updated] = changes as [PresenceChange, PresenceChange];
	for (const member of [members[0], joined.joined[0], updated.updated[0]]) expect(Object.isFrozen(member)).toBe(true);
	for (const list of [joined.joined, joined.left, updated.updated]) expect(Object.isFrozen(list)).toBe(true);
	expect([updated.updated[0]?.info, updated.updated[0]?.info?.['tags']].every(Object.isFrozen)).toBe(true);
	// What the application has given is still its own.
	expect(Object.isFrozen(info)).toBe(false);
});
