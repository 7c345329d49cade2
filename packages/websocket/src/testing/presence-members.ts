import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { MAX_INFO_BYTES, MAX_KEY_BYTES, MAX_PRESENCE_OPS, VERSION_KEPT_MS } from '../presence/presence-store.ts';
import type { Requirements } from './conformance.ts';
import { assertLeaseLost, assertLeadTo, assertState, seen, summary } from './presence-assertions.ts';
import { LONG_LEASE_MS, PresenceNode, put } from './presence-node.ts';

/** The requirements for members: how records become members, and what is known of them. */
export const MEMBERS: Requirements = {
	async 'the first record of a member is a join, and the last one to go is a leave'(context) {
		const [a, b] = await startTwo(context);
		const before = Date.now();
		assertState(await a.put('t', 'user:1', { connections: 2, info: '{"name":"Ada"}' }), 1, 1);
		const member = await b.member('t', 'user:1');
		deepEqual([member.key, member.connections, member.info, member.nodes], ['user:1', 2, '{"name":"Ada"}', [a.lease]]);
		ok(Number.isSafeInteger(member.since) && Math.abs(member.since - before) < 5_000, `since is ${member.since}`);
		assertState(await a.remove('t', 'user:1'), 2, 0);
		for (const node of [a, b]) {
			const [joined, left] = await node.untilChanges('t', 2);
			deepEqual(joined?.changes, [{ kind: 'joined', ...seen(member) }]);
			deepEqual(left?.changes, [{ kind: 'left', ...seen(member) }]);
			deepEqual([joined?.n, joined?.count, left?.n, left?.count], [1, 1, 2, 0]);
		}
	},

	async 'a version says how many changes there were in its epoch, also after the last member has left'(context) {
		const [a] = await startTwo(context);
		const first = await a.put('t', 'k');
		match(first.version?.epoch ?? '', /^[\x20-\x7e]{8}$/, 'an epoch has 8 characters');
		await a.remove('t', 'k');
		deepEqual(await a.presence.count('t'), { version: { epoch: first.version?.epoch, n: 2 }, count: 0 });
		deepEqual(await a.put('t', 'k'), { version: { epoch: first.version?.epoch, n: 3 }, count: 1 });
		deepEqual((await a.read('t')).version, { epoch: first.version?.epoch, n: 3 });
		assertLeadTo(await a.untilChanges('t', 3), await a.read('t'));
	},

	async 'a version outlives the last member by some minutes'(context) {
		context.needs('moveClock');
		const [a] = await startTwo(context);
		const { version } = await a.put('t', 'k');
		await a.remove('t', 'k');
		await context.moveClock(VERSION_KEPT_MS - 30_000);
		deepEqual(await a.presence.count('t'), { version: { epoch: version?.epoch, n: 2 }, count: 0 });
	},

	async 'a topic that has had no members has no version, and nothing to remove makes one'(context) {
		const [a] = await startTwo(context);
		const nothing = { version: undefined, count: 0 };
		deepEqual(await a.presence.count('t'), nothing);
		deepEqual(await a.read('t'), { ...nothing, members: [], hasMore: false, skipped: 0 });
		for (const op of ['remove', 'expire'] as const) deepEqual(await a.apply('t', { kind: op, key: 'k' }), nothing);
		deepEqual(await a.linger('t', 'k', 1_000), nothing);
		deepEqual(await a.linger('t', 'k', 0), nothing);
		assertState(await a.put('t', 'k'), 1, 1);
		await a.untilChanges('t', 1);
	},

	async 'a member of several nodes has the sum of the connections, and is there until its last record'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { connections: 2 });
		await b.put('t', 'k', { connections: 3 });
		await b.put('t', 'k', { connections: 1 });
		deepEqual((await a.member('t', 'k')).nodes.map(({ nodeId }) => nodeId).toSorted(), ids(a, b));
		await a.remove('t', 'k');
		await b.remove('t', 'k');
		deepEqual((await a.untilChanges('t', 5)).map(summary), [
			['joined k 2'],
			['updated k 5'],
			['updated k 3'],
			['updated k 1'],
			['left k 1'],
		]);
	},

	async 'a member is there since the earliest of its records, whose time does not change'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { ageMs: 20_000 });
		const { since } = await a.member('t', 'k');
		await b.put('t', 'k', { ageMs: 50_000 });
		const earlier = (await a.member('t', 'k')).since;
		ok(Math.abs(since - earlier - 30_000) < 5_000, `30 seconds earlier than ${since} is not ${earlier}`);
		await b.put('t', 'k', { connections: 2, ageMs: 90_000 });
		equal((await a.member('t', 'k')).since, earlier, 'the age is for a new record');
		await b.remove('t', 'k');
		equal((await a.member('t', 'k')).since, since);
		assertLeadTo(await a.untilChanges('t', 4), await a.read('t'));
	},

	async 'of several nodes, the info that was set last counts'(context) {
		const [a, b] = await startTwo(context);
		const info = async (): Promise<string | undefined> => (await a.member('t', 'k')).info;
		await a.put('t', 'k', { info: '{"n":1}' });
		await b.put('t', 'k', { info: '{"n":2}' });
		equal(await info(), '{"n":2}');
		await a.put('t', 'k', { info: '{"n":1}' });
		equal(await info(), '{"n":2}', 'info that is not changed is not set');
		await a.put('t', 'k', { info: '{"n":3}' });
		equal(await info(), '{"n":3}');
		await b.put('t', 'k', { info: '{"n":2}', connections: 4 });
		equal(await info(), '{"n":3}');
		await a.remove('t', 'k');
		equal(await info(), '{"n":2}', 'the info of the record that is left');
		assertLeadTo(await a.untilChanges('t', 5), await a.read('t'));
	},

	async 'of several nodes that put back what was lost, the info that was set last counts, in any order'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { info: '{"n":2}', infoAgeMs: 60_000 });
		await b.put('t', 'k', { info: '{"n":1}', infoAgeMs: 90_000 });
		await b.put('t', 'l', { info: '{"n":1}', infoAgeMs: 90_000 });
		await a.put('t', 'l', { info: '{"n":2}', infoAgeMs: 60_000 });
		deepEqual(
			(await a.read('t')).members.map(({ key, info }) => [key, info]),
			[
				['k', '{"n":2}'],
				['l', '{"n":2}'],
			],
		);
		await b.put('t', 'k', { info: '{"n":3}', infoAgeMs: 20 });
		equal((await a.member('t', 'k')).info, '{"n":3}');
		assertLeadTo(await a.untilChanges('t', 5), await a.read('t'));
	},

	async 'info that is set to what others see already is set nevertheless'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { info: '{"n":1}' });
		await b.put('t', 'k', { info: '{"n":2}' });
		assertState(await a.put('t', 'k', { info: '{"n":2}' }), 2, 1);
		await b.put('t', 'k', { info: '{"n":3}' });
		equal((await a.member('t', 'k')).info, '{"n":3}');
		await b.put('t', 'k', { info: '{"n":4}' });
		equal((await a.member('t', 'k')).info, '{"n":4}');
		await b.remove('t', 'k');
		equal((await a.member('t', 'k')).info, '{"n":2}');
		assertLeadTo(await a.untilChanges('t', 5), await a.read('t'));
	},

	async 'a member can have no info, and lose it'(context) {
		const [a] = await startTwo(context);
		await a.put('t', 'k');
		await a.put('t', 'k', { info: '{}' });
		equal((await a.member('t', 'k')).info, '{}');
		await a.put('t', 'k');
		equal((await a.member('t', 'k')).info, undefined);
		const infos = (await a.untilChanges('t', 3)).map(({ changes }) => changes?.[0]?.info);
		deepEqual(infos, [undefined, '{}', undefined]);
	},

	async 'putting what is there changes nothing'(context) {
		const [a, b] = await startTwo(context);
		const first = await a.put('t', 'k', { connections: 2, info: '{"n":1}' });
		const before = await b.read('t');
		deepEqual(await a.put('t', 'k', { connections: 2, info: '{"n":1}', ageMs: 9_000 }), first);
		deepEqual(await b.read('t'), before);
		await a.put('t', 'end');
		assertLeadTo(await b.untilChanges('t', 2), await b.read('t'));
	},

	async 'a later generation of a node takes its records over without a change'(context) {
		const [a, b] = await startTwo(context);
		const before = a.lease;
		const first = await a.put('t', 'k', { info: '{"n":1}' });
		await a.beginNext(LONG_LEASE_MS);
		deepEqual(await a.put('t', 'k', { info: '{"n":1}' }), first);
		deepEqual((await b.member('t', 'k')).nodes, [a.lease]);
		ok(a.lease.generation > before.generation);
		await a.put('t', 'end');
		await b.untilChanges('t', 2);
	},

	async 'changes of one step are one version and one frame, in which the last state of each member counts'(context) {
		const [a, b] = await startTwo(context);
		await a.apply('t', put('left'), put('updated'), put('same'));
		const before = await a.read('t');
		const state = await a.apply(
			't',
			put('joined'),
			{ kind: 'remove', key: 'left' },
			put('updated', { connections: 2 }),
			put('same'),
			{ kind: 'remove', key: 'unknown' },
		);
		assertState(state, 2, 3);
		const [, change] = await b.untilChanges('t', 2);
		deepEqual(summary(change!), ['joined joined 1', 'left left 1', 'updated updated 2']);
		equal(before.members.length, 3);
		assertLeadTo(b.changes('t'), await b.read('t'));
	},

	async 'one step takes 100 changes'(context) {
		const [a, b] = await startTwo(context);
		const keys = Array.from({ length: MAX_PRESENCE_OPS }, (_, i) => `user:${i}`);
		const info = JSON.stringify({ name: 'Ада'.repeat(300) });
		assertState(await a.apply('t', ...keys.map((key) => put(key, { info }))), 1, MAX_PRESENCE_OPS);
		assertState(await a.apply('t', ...keys.map((key) => put(key, { info, connections: 2 }))), 2, MAX_PRESENCE_OPS);
		const [joined] = await b.untilChanges('t', 2);
		equal(joined?.changes?.length, MAX_PRESENCE_OPS);
		assertLeadTo(b.changes('t'), await b.read('t'));
		assertState(await a.remove('t', ...keys), 3, 0);
	},

	async 'keys and info are carried exactly, up to their limits'(context) {
		const [a, b] = await startTwo(context);
		const longest = 'user:'.padEnd(MAX_KEY_BYTES, 'x');
		const wide = `user:${'🔑'.repeat(Math.floor((MAX_KEY_BYTES - 5) / 4))}`;
		const odd = ['user:ключ {x} :*\0"\\ 🔑 %s\r\n', 'user:__proto__', 'constructor', '__proto__', '0', ' ', 'user:'];
		const keys = [longest, wide, ...odd];
		const largest = JSON.stringify({ text: 'é'.repeat(MAX_INFO_BYTES / 2 - 6) });
		equal(Buffer.byteLength(largest), MAX_INFO_BYTES - 1);
		for (const key of keys) await a.put('t', key, { info: JSON.stringify({ key }) });
		await a.put('t', 'largest', { info: largest });
		const infos = new Map((await b.read('t')).members.map(({ key, info }) => [key, info]));
		for (const key of keys) equal(infos.get(key), JSON.stringify({ key }));
		equal(infos.get('largest'), largest);
		assertLeadTo(await b.untilChanges('t', keys.length + 1), await b.read('t'));
	},

	async 'topics are apart, also where topic and key join to the same text'(context) {
		const [a, b] = await startTwo(context);
		const pairs = [
			['a', 'b:c'],
			['a:b', 'c'],
			['ab', 'c'],
			['a', 'bc'],
			['t:k', 'k'],
			['T', 'k'],
		] as const;
		for (const [topic, key] of pairs) await a.put(topic, key);
		deepEqual(await b.keys('a'), ['b:c', 'bc']);
		for (const topic of ['a:b', 'ab']) deepEqual(await b.keys(topic), ['c']);
		deepEqual(await b.keys('t'), []);
		const versions = await Promise.all(['a', 'a:b', 'T'].map((topic) => b.presence.count(topic)));
		deepEqual(
			versions.map(({ version, count }) => [version?.n, count]),
			[
				[2, 2],
				[1, 1],
				[1, 1],
			],
		);
	},

	async 'steps of one node take effect in the order of the calls'(context) {
		const [a, b] = await startTwo(context);
		await Promise.all(Array.from({ length: 100 }, (_, i) => a.put('t', 'k', { connections: i + 1 })));
		equal((await b.member('t', 'k')).connections, 100);
		const changes = await b.untilChanges('t', 100);
		deepEqual(
			changes.map((change) => change.changes?.[0]?.connections),
			Array.from({ length: 100 }, (_, i) => i + 1),
		);
		assertLeadTo(changes, await b.read('t'));
	},

	async 'steps of several nodes at once are all applied, one version each'(context) {
		const nodes = await PresenceNode.startLeased(context, 4, 't');
		await Promise.all(
			Array.from({ length: 200 }, (_, i) => nodes[i % 4]!.put('t', i % 3 === 0 ? 'shared' : `user:${i}`)),
		);
		const read = await nodes[0]!.read('t');
		equal(read.count, 1 + 133);
		equal(read.members.find(({ key }) => key === 'shared')?.connections, 4);
		for (const node of nodes) assertLeadTo(await node.untilChanges('t', read.version?.n ?? 0), read);
	},

	async 'nothing is applied with a lease that the backend does not know'(context) {
		const [a] = await startTwo(context);
		const stranger = await PresenceNode.start(context, 't');
		await assertLeaseLost(stranger.put('t', 'lost'));
		await a.put('t', 'k');
		deepEqual(await a.keys('t'), ['k']);
		await a.untilChanges('t', 1);
	},
};

async function startTwo(context: Parameters<typeof PresenceNode.start>[0]): Promise<[PresenceNode, PresenceNode]> {
	const [a, b] = await PresenceNode.startLeased(context, 2, 't');
	return [a!, b!];
}

function ids(...nodes: readonly PresenceNode[]): string[] {
	return nodes.map(({ lease }) => lease.nodeId).toSorted();
}
