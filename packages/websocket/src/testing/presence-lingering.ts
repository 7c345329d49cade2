import { deepEqual, equal, ok } from 'node:assert/strict';
import type { Requirements } from './conformance.ts';
import { assertLeadTo, assertState, summary } from './presence-assertions.ts';
import { PresenceNode, put } from './presence-node.ts';
import { attemptUntil } from './waiting.ts';

const LONG_MS = 60_000;
const SHORT_MS = 300;
/** How much earlier than its time a record may expire, in milliseconds, with some for the clocks of two processes. */
const TOLERANCE_MS = 60;

/** The requirements for records that linger after the last connection of their member to a node. */
export const LINGERING: Requirements = {
	async 'while the only record of a member lingers, nothing changes for others'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { connections: 2, info: '{"n":1}', ageMs: 1_000 });
		const before = await b.read('t');
		assertState(await a.linger('t', 'k', LONG_MS), 1, 1);
		deepEqual(await b.read('t'), before);
		assertState(await b.presence.count('t'), 1, 1);
		await a.put('t', 'end');
		await b.untilChanges('t', 2);
	},

	async 'a put revives a lingering record of its node, which keeps its time'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { ageMs: 20_000 });
		const { since } = await b.member('t', 'k');
		await a.linger('t', 'k', SHORT_MS);
		assertState(await a.put('t', 'k'), 1, 1);
		equal((await b.member('t', 'k')).since, since);
		await a.linger('t', 'k', SHORT_MS);
		await a.put('t', 'k', { connections: 2, info: '{}' });
		const [, updated] = await b.untilChanges('t', 2);
		deepEqual(updated?.changes, [{ kind: 'updated', key: 'k', connections: 2, since, info: '{}' }]);
		await pass(SHORT_MS);
		assertState(await a.expire('t', 'k'), 2, 1);
	},

	async 'a put of another node takes over from a record that lingers'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { ageMs: 20_000, info: '{"n":1}' });
		const before = await b.member('t', 'k');
		await a.linger('t', 'k', LONG_MS);
		assertState(await b.put('t', 'k', { info: '{"n":1}' }), 1, 1);
		deepEqual(await a.member('t', 'k'), { ...before, nodes: [b.lease] });
		assertState(await a.expire('t', 'k'), 1, 1);
		assertState(await a.remove('t', 'k'), 1, 1);
		deepEqual((await b.member('t', 'k')).nodes, [b.lease]);
		await b.remove('t', 'k');
		deepEqual((await a.untilChanges('t', 2)).map(summary), [['joined k 1'], ['left k 1']]);
	},

	async 'who moves to another node with other connections and info is updated, and does not join'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { connections: 3, info: '{"n":1}', ageMs: 20_000 });
		await a.linger('t', 'k', LONG_MS);
		await b.put('t', 'k', { connections: 1, info: '{"n":2}' });
		const changes = await a.untilChanges('t', 2);
		deepEqual(changes.map(summary), [['joined k 3'], ['updated k 1']]);
		assertLeadTo(changes, await b.read('t'));
	},

	async 'who moves from node to node and back is there since the beginning'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { ageMs: 20_000 });
		const { since } = await b.member('t', 'k');
		for (const [from, to] of [
			[a, b],
			[b, a],
			[a, b],
		] as const) {
			await from.linger('t', 'k', LONG_MS);
			await to.put('t', 'k');
			await from.linger('t', 'k', LONG_MS);
			const member = await a.member('t', 'k');
			deepEqual([member.since, member.connections, member.nodes], [since, 1, [to.lease]]);
		}
		await a.put('t', 'end');
		await b.untilChanges('t', 2);
	},

	async 'an earlier time of the node that takes over counts'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k');
		const { since } = await b.member('t', 'k');
		await a.linger('t', 'k', LONG_MS);
		await b.put('t', 'k', { ageMs: 30_000 });
		ok((await b.member('t', 'k')).since < since - 20_000);
		assertLeadTo(await a.untilChanges('t', 2), await b.read('t'));
	},

	async 'while another node has a live record, one that lingers does not count, and the last one to linger stays'(
		context,
	) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { connections: 2, info: '{"n":1}' });
		await b.put('t', 'k', { connections: 3, info: '{"n":2}' });
		await a.put('t', 'k', { connections: 2, info: '{"n":3}' });
		assertState(await a.linger('t', 'k', LONG_MS), 4, 1);
		const { connections, info, nodes } = await a.member('t', 'k');
		deepEqual([connections, info, nodes.length], [3, '{"n":2}', 2]);
		const changes = await b.untilChanges('t', 4);
		deepEqual(changes.map(summary), [['joined k 2'], ['updated k 5'], ['updated k 5'], ['updated k 3']]);
		assertLeadTo(changes, await b.read('t'));
		assertState(await b.linger('t', 'k', LONG_MS), 4, 1);
		deepEqual((await a.member('t', 'k')).nodes, [b.lease]);
	},

	async 'who lingers on one node stays when the live record of another is removed'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k', { connections: 2 });
		await b.put('t', 'k', { connections: 1 });
		await b.linger('t', 'k', LONG_MS);
		assertState(await a.remove('t', 'k'), 4, 1);
		deepEqual((await a.member('t', 'k')).nodes, [b.lease]);
		assertState(await a.put('t', 'k'), 4, 1);
		deepEqual((await b.member('t', 'k')).nodes, [a.lease]);
		const changes = await b.untilChanges('t', 4);
		deepEqual(changes.map(summary), [['joined k 2'], ['updated k 3'], ['updated k 2'], ['updated k 1']]);
	},

	async 'to linger for no time is to be removed'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k');
		assertState(await a.linger('t', 'k', 0), 2, 0);
		deepEqual((await b.untilChanges('t', 2)).map(summary), [['joined k 1'], ['left k 1']]);
	},

	async 'a record that lingers expires when its time has come, and not before'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k');
		const begin = performance.now();
		await a.linger('t', 'k', SHORT_MS);
		assertState(await a.expire('t', 'k'), 1, 1);
		assertState(await b.expire('t', 'k'), 1, 1);
		let count = 1;
		await attemptUntil(
			async () => ({ count } = await a.expire('t', 'k')),
			() => count === 0,
			context.timeoutMs,
			() => 'the record does not expire',
		);
		const waitedMs = performance.now() - begin;
		ok(waitedMs >= SHORT_MS - TOLERANCE_MS, `it expired after ${waitedMs} ms, not after ${SHORT_MS} ms`);
		const changes = await b.untilChanges('t', 2);
		deepEqual(changes.map(summary), [['joined k 1'], ['left k 1']]);
		assertLeadTo(changes, await b.read('t'));
	},

	async 'lingering does not end by itself'(context) {
		const [a, b] = await startTwo(context);
		await a.put('t', 'k');
		await a.linger('t', 'k', 100);
		await pass(100);
		deepEqual(await b.keys('t'), ['k']);
		assertState(await b.presence.count('t'), 1, 1);
		assertState(await a.put('t', 'k'), 1, 1);
	},

	async 'a live record does not expire, and a record that lingers can be removed'(context) {
		const [a] = await startTwo(context);
		await a.put('t', 'k');
		assertState(await a.expire('t', 'k'), 1, 1);
		await a.linger('t', 'k', LONG_MS);
		assertState(await a.remove('t', 'k'), 2, 0);
		await a.untilChanges('t', 2);
	},

	async 'the time of a record that lingers can be set again'(context) {
		const [a] = await startTwo(context);
		await a.put('t', 'k');
		await a.linger('t', 'k', LONG_MS);
		await a.linger('t', 'k', 50);
		await pass(50);
		assertState(await a.expire('t', 'k'), 2, 0);
	},

	async 'of members that linger and members that do not, each is treated by itself'(context) {
		const [a, b] = await startTwo(context);
		await a.apply('t', put('gone'), put('lingers'), put('stays'), put('moves'));
		await a.apply(
			't',
			{ kind: 'linger', key: 'lingers', ms: LONG_MS },
			{ kind: 'linger', key: 'moves', ms: LONG_MS },
			{ kind: 'remove', key: 'gone' },
		);
		await b.apply('t', put('moves', { connections: 2 }), put('new'));
		await a.apply('t', { kind: 'expire', key: 'moves' }, { kind: 'expire', key: 'lingers' });
		deepEqual(await b.keys('t'), ['lingers', 'moves', 'new', 'stays']);
		assertLeadTo(await b.untilChanges('t', 3), await b.read('t'));
	},
};

/** Lets time pass, which is all that these cases wait for. */
function pass(ms: number): Promise<void> {
	return new Promise((resolve) => setTimeout(resolve, ms + TOLERANCE_MS));
}

async function startTwo(context: Parameters<typeof PresenceNode.start>[0]): Promise<[PresenceNode, PresenceNode]> {
	const [a, b] = await PresenceNode.startLeased(context, 2, 't');
	return [a!, b!];
}
