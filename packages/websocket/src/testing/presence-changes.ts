import { deepEqual, equal } from 'node:assert/strict';
import type { PresenceOp } from '../presence/presence-store.ts';
import { presenceChannel } from '../wire/channel-names.ts';
import type { Requirements } from './conformance.ts';
import { assertLeadTo, byKey, differenceOf, seen, summary } from './presence-assertions.ts';
import { PresenceNode, put } from './presence-node.ts';
import { seeded, someOps } from './presence-random.ts';

/** The requirements for change frames. */
export const CHANGES: Requirements = {
	async 'changes are exactly the differences between what can be read before and after them'(context) {
		const nodes = await PresenceNode.startLeased(context, 3, 't');
		const random = seeded(20_261_128);
		const watcher = nodes[0]!;
		let before = await watcher.read('t');
		let changed = 0;
		for (let step = 0; step < 150; step++) {
			const node = nodes[random(3)]!;
			await node.apply('t', ...someOps(random));
			const after = await watcher.read('t');
			const expected = differenceOf(before.members, after.members);
			if (expected.length === 0) deepEqual(after.version, before.version, 'nothing has changed for others');
			else {
				const change = (await watcher.untilChanges('t', ++changed)).at(-1)!;
				deepEqual(byKey(change.changes), expected);
				deepEqual({ epoch: change.epoch, n: change.n }, after.version);
				equal(change.count, after.members.length);
			}
			before = after;
		}
		for (const node of nodes) assertLeadTo(await node.untilChanges('t', changed), before);
	},

	async 'half of a step can not be read'(context) {
		const [a, b] = await PresenceNode.startLeased(context, 2);
		const keys = Array.from({ length: 40 }, (_, i) => `user:${i}`);
		await a!.putMany('t', keys.slice(0, 20));
		const over = new AbortController();
		const moving = (async () => {
			for (let step = 0; step < 60; step++) {
				const ops = keys.map((key, i): PresenceOp =>
					i < 20 === (step % 2 === 1) ? put(key) : { kind: 'remove', key },
				);
				await a!.apply('t', ...ops);
			}
		})().finally(() => over.abort());
		while (!over.signal.aborted) {
			const [{ count }, read] = await Promise.all([b!.presence.count('t'), b!.read('t')]);
			deepEqual([count, read.count, read.members.length], [20, 20, 20]);
			const isFirst = read.members.some(({ key }) => key === 'user:0');
			const other = isFirst ? keys.slice(20) : keys.slice(0, 20);
			deepEqual(
				read.members.filter(({ key }) => other.includes(key)),
				[],
			);
		}
		await moving;
	},

	async 'a change frame begins with the header of the node whose change it is'(context) {
		const [a, b] = await PresenceNode.startLeased(context, 2, 't');
		await a!.put('t', 'k');
		await b!.put('t', 'l');
		const changes = await a!.untilChanges('t', 2);
		deepEqual(
			changes.map(({ origin, shard, incarnation }) => ({ origin, shard, incarnation })),
			[a!.sender, b!.sender],
		);
	},

	async 'changes go to the channel of their topic, and to who has subscribed to it'(context) {
		const [a, b] = await PresenceNode.startLeased(context, 2, 't');
		await b!.bus.unsubscribe([presenceChannel('t')]);
		await b!.bus.subscribe([presenceChannel('u')]);
		await a!.put('t', 'k');
		await a!.put('u', 'k');
		await b!.untilChanges('u', 1);
		await a!.untilChanges('t', 1);
		deepEqual([a!.received.frames.length, b!.received.frames.length], [1, 1]);
	},

	async 'with too many members, changes say only how many there are, until there are 10 % fewer'(context) {
		const [a, b] = await PresenceNode.startLeased(context, 2, 't');
		a!.membersUpTo = 20;
		const keys = Array.from({ length: 22 }, (_, i) => `k${i}`);
		await a!.apply('t', ...keys.slice(0, 20).map((key) => put(key)));
		await a!.put('t', keys[20]!);
		await a!.put('t', keys[21]!);
		await a!.put('t', keys[21]!, { connections: 2 });
		await a!.remove('t', keys[21]!);
		await a!.remove('t', keys[20]!);
		await a!.remove('t', keys[19]!);
		await a!.put('t', keys[18]!, { connections: 2 });
		await a!.remove('t', ...keys.slice(15, 19));
		await a!.put('t', keys[0]!, { connections: 2 });
		await a!.put('t', 'new');
		const changes = await b!.untilChanges('t', 11);
		deepEqual(
			changes.map(({ count }) => count),
			[20, 21, 22, 22, 21, 20, 19, 19, 15, 15, 16],
		);
		deepEqual(
			changes.map((change) => change.changes?.length),
			[20, ...Array.from({ length: 7 }, () => undefined), 4, 1, 1],
		);
	},

	async 'where members are never named, changes say only how many there are'(context) {
		const [a, b] = await PresenceNode.startLeased(context, 2, 't');
		a!.membersUpTo = 0;
		await a!.put('t', 'k', { info: '{}' });
		await a!.put('t', 'k', { info: '{"n":1}' });
		await a!.remove('t', 'k');
		const changes = await b!.untilChanges('t', 3);
		deepEqual(
			changes.map(({ n, count, changes: named }) => [n, count, named]),
			[
				[1, 1, undefined],
				[2, 1, undefined],
				[3, 0, undefined],
			],
		);
	},

	async 'a node that begins to watch while others change a topic misses nothing'(context) {
		const [a, b] = await PresenceNode.startLeased(context, 2);
		const over = new AbortController();
		const changing = (async () => {
			for (let i = 0; !over.signal.aborted || i < 50; i++) await a!.put('t', `k${i % 40}`, { connections: i + 1 });
		})();
		await b!.bus.subscribe([presenceChannel('t')]);
		const first = await b!.read('t');
		over.abort();
		await changing;
		const last = await b!.read('t');
		const members = new Map(first.members.map((member) => [member.key, seen(member)]));
		const missing = (last.version?.n ?? 0) - (first.version?.n ?? 0);
		await b!.received.untilFrames(presenceChannel('t'), missing);
		const following = b!.changes('t').filter(({ n }) => n > (first.version?.n ?? 0));
		deepEqual(
			following.map(({ n }) => n),
			Array.from({ length: missing }, (_, i) => (first.version?.n ?? 0) + i + 1),
		);
		for (const { changes } of following) {
			for (const member of changes ?? []) members.set(member.key, seen(member));
		}
		deepEqual([...members.keys()].toSorted(), last.members.map(({ key }) => key).toSorted());
		for (const member of last.members) deepEqual(members.get(member.key), seen(member));
	},

	async 'the time of a change is that of the backend, and is whole milliseconds'(context) {
		const [a] = await PresenceNode.startLeased(context, 1, 't');
		await a!.put('t', 'k', { ageMs: 1_234.567 });
		const [change] = await a!.untilChanges('t', 1);
		deepEqual(summary(change!), ['joined k 1']);
		equal(Number.isSafeInteger(change?.changes?.[0]?.since), true);
	},
};
