import { deepEqual, equal, ok } from 'node:assert/strict';
import type { HistoryBounds, HistorySlice } from '../history/history-store.ts';
import type { Requirements } from './conformance.ts';
import { assertChain, bytes, contents } from './history-assertions.ts';
import { type HistoryNode, readAll, ROOMY, startHistoryNode } from './history-node.ts';

/** How long a case waits for messages to expire, in milliseconds: less than the usual time limit of a test. */
const TIMEOUT_MS = 3_000;

/** The requirements for bounds: they limit which messages are kept; every message is numbered and delivered. */
export const BOUNDS: Requirements = {
	async 'at most `size` messages are kept, the newest'(context) {
		const node = await startHistoryNode(context, 't');
		const bounds = { ...ROOMY, size: 5 };
		for (let i = 1; i <= 12; i++) {
			await node.history.append('t', [`${i}`], bounds);
			equal((await readAll(node, 't', bounds)).entries.length, Math.min(i, 5));
		}
		await assertKept(node, bounds, 12, ['8', '9', '10', '11', '12']);
		await node.history.append('t', ['13', '14', '15', '16', '17', '18', '19'], bounds);
		await assertKept(node, bounds, 19, ['15', '16', '17', '18', '19']);
	},

	async 'at most `bytes` bytes are kept, with text counted as UTF-8'(context) {
		const node = await startHistoryNode(context, 't');
		const bounds = { ...ROOMY, bytes: 10 };
		await node.history.append('t', ['12345', '67890'], bounds);
		await assertKept(node, bounds, 2, ['12345', '67890']);
		await node.history.append('t', ['x'], bounds);
		await assertKept(node, bounds, 3, ['67890', 'x']);
		await node.history.append('t', ['ééé'], bounds);
		await assertKept(node, bounds, 4, ['x', 'ééé']);
		await node.history.append('t', [bytes(1, 2, 3, 4)], bounds);
		await assertKept(node, bounds, 5, ['ééé', bytes(1, 2, 3, 4)]);
		await node.history.append('t', [bytes(), ''], bounds);
		await assertKept(node, bounds, 7, ['ééé', bytes(1, 2, 3, 4), bytes(), '']);
		await node.history.append('t', ['🦀🦀'], bounds);
		await assertKept(node, bounds, 8, [bytes(), '', '🦀🦀']);
	},

	async 'a message larger than `bytes` is delivered, but neither it nor an older one is kept'(context) {
		const node = await startHistoryNode(context, 't');
		const bounds = { ...ROOMY, bytes: 10 };
		for (const message of ['small', 'larger than this', 'next']) await node.history.append('t', [message], bounds);
		await assertKept(node, bounds, 3, ['next']);
		await node.history.append('t', ['also larger than this'], bounds);
		await assertKept(node, bounds, 4, []);
		await node.history.append('t', ['1', new Uint8Array(11), '2'], bounds);
		await assertKept(node, bounds, 7, ['2']);
		deepEqual(contents(node.received.entries('t'))[1], 'larger than this');
	},

	async 'messages older than `ttlMs` expire, but the last offset does not'(context) {
		const node = await startHistoryNode(context, 't');
		const bounds = { ...ROOMY, ttlMs: 100 };
		await node.history.append('t', ['1', '2'], bounds);
		await untilEmpty(node, bounds);
		await assertKept(node, bounds, 2, []);
		deepEqual((await node.history.read('t', { after: 0, limit: 5 }, bounds)).entries, []);
	},

	async 'newer messages stay when older ones expire'(context) {
		const node = await startHistoryNode(context, 't');
		const bounds = { ...ROOMY, ttlMs: 800 };
		await node.history.append('t', ['old'], bounds);
		deepEqual(contents((await readAll(node, 't', bounds)).entries), ['old']);
		await untilEmpty(node, bounds);
		await node.history.append('t', ['young'], bounds);
		await assertKept(node, bounds, 2, ['young']);
	},

	async 'a read applies its own bounds'(context) {
		const node = await startHistoryNode(context);
		await node.history.append('t', ['1', '2', '3', '4', '5'], ROOMY);
		const { last } = await readAll(node);
		const narrow = { ...ROOMY, size: 4 };
		const bySize = await node.history.read('t', { after: 0, limit: 10 }, narrow);
		deepEqual([contents(bySize.entries), bySize.last], [['2', '3', '4', '5'], last]);
		const byBytes = await readAll(node, 't', { ...ROOMY, bytes: 3 });
		deepEqual([contents(byBytes.entries), byBytes.last], [['3', '4', '5'], last]);
	},

	async 'appends to one topic remove nothing from another'(context) {
		const node = await startHistoryNode(context);
		const bounds = { ...ROOMY, size: 3, bytes: 6 };
		for (const topic of ['t', 'u']) await node.history.append(topic, ['aa', 'bb', 'cc'], bounds);
		for (let i = 0; i < 10; i++) await node.history.append('u', ['dd'], bounds);
		deepEqual(contents((await readAll(node, 't', bounds)).entries), ['aa', 'bb', 'cc']);
	},
};

/** Asserts that the node received `count` messages in all, of which exactly the last ones, `kept`, are still stored. */
async function assertKept(node: HistoryNode, bounds: HistoryBounds, count: number, kept: unknown[]): Promise<void> {
	await node.received.untilEntries('t', count);
	const all = node.received.entries('t');
	equal(all.length, count);
	assertChain(all, 0);
	const { last, epoch, entries } = await readAll(node, 't', bounds);
	deepEqual(contents(entries), kept);
	equal(last, all.at(-1)?.offset, 'the last offset must be that of the last message, kept or not');
	assertChain(entries, all[count - kept.length - 1]?.offset ?? 0);
	ok(node.received.slices.every(({ slice }) => slice.epoch === epoch));
}

async function untilEmpty(node: HistoryNode, bounds: HistoryBounds): Promise<HistorySlice> {
	const end = Date.now() + TIMEOUT_MS;
	for (;;) {
		const slice = await readAll(node, 't', bounds);
		if (slice.entries.length === 0) return slice;
		ok(Date.now() < end, `messages older than ${bounds.ttlMs} ms are still stored`);
	}
}
