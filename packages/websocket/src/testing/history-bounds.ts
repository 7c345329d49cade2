import { deepEqual, equal, ok } from 'node:assert/strict';
import type { HistoryBounds, HistorySlice } from '../history/history-store.ts';
import { assertChain, bytes, contents, type HistoryNode, historyNode, readAll, ROOMY } from './history-stage.ts';
import type { Promises } from './stage.ts';

/** How long a case waits for messages to expire, in milliseconds: less than test runners give a test. */
const PATIENCE_MS = 3_000;

/** What is kept, and that numbering and delivery don't depend on it. */
export const BOUNDS: Promises = {
	async 'no more messages are kept than the bounds say, the newest'(stage) {
		const node = await historyNode(stage, 't');
		const bounds = { ...ROOMY, size: 5 };
		for (let i = 1; i <= 12; i++) {
			await node.history.append('t', [`${i}`], bounds);
			equal((await readAll(node, 't', bounds)).entries.length, Math.min(i, 5));
		}
		await assertLetGo(node, bounds, 12, ['8', '9', '10', '11', '12']);
		await node.history.append('t', ['13', '14', '15', '16', '17', '18', '19'], bounds);
		await assertLetGo(node, bounds, 19, ['15', '16', '17', '18', '19']);
	},

	async 'no more bytes are kept than the bounds say, text counted as UTF-8'(stage) {
		const node = await historyNode(stage, 't');
		const bounds = { ...ROOMY, bytes: 10 };
		await node.history.append('t', ['12345', '67890'], bounds);
		await assertLetGo(node, bounds, 2, ['12345', '67890']);
		await node.history.append('t', ['x'], bounds);
		await assertLetGo(node, bounds, 3, ['67890', 'x']);
		await node.history.append('t', ['ééé'], bounds);
		await assertLetGo(node, bounds, 4, ['x', 'ééé']);
		await node.history.append('t', [bytes(1, 2, 3, 4)], bounds);
		await assertLetGo(node, bounds, 5, ['ééé', bytes(1, 2, 3, 4)]);
		await node.history.append('t', [bytes(), ''], bounds);
		await assertLetGo(node, bounds, 7, ['ééé', bytes(1, 2, 3, 4), bytes(), '']);
		await node.history.append('t', ['🦀🦀'], bounds);
		await assertLetGo(node, bounds, 8, [bytes(), '', '🦀🦀']);
	},

	async 'a message larger than all that may be kept is delivered, and nothing is kept until the next'(stage) {
		const node = await historyNode(stage, 't');
		const bounds = { ...ROOMY, bytes: 10 };
		for (const message of ['small', 'larger than this', 'next']) await node.history.append('t', [message], bounds);
		await assertLetGo(node, bounds, 3, ['next']);
		await node.history.append('t', ['also larger than this'], bounds);
		await assertLetGo(node, bounds, 4, []);
		await node.history.append('t', ['1', new Uint8Array(11), '2'], bounds);
		await assertLetGo(node, bounds, 7, ['2']);
		deepEqual(contents(node.seen.entries('t'))[1], 'larger than this');
	},

	async 'messages that are too old are let go, not the last offset'(stage) {
		const node = await historyNode(stage, 't');
		const bounds = { ...ROOMY, ttlMs: 100 };
		await node.history.append('t', ['1', '2'], bounds);
		await untilEmpty(node, bounds);
		await assertLetGo(node, bounds, 2, []);
		deepEqual((await node.history.read('t', { after: 0, limit: 5 }, bounds)).entries, []);
	},

	async 'the young messages stay when the old go'(stage) {
		const node = await historyNode(stage, 't');
		const bounds = { ...ROOMY, ttlMs: 800 };
		await node.history.append('t', ['old'], bounds);
		deepEqual(contents((await readAll(node, 't', bounds)).entries), ['old']);
		await untilEmpty(node, bounds);
		await node.history.append('t', ['young'], bounds);
		await assertLetGo(node, bounds, 2, ['young']);
	},

	async 'a read keeps to its own bounds'(stage) {
		const node = await historyNode(stage);
		await node.history.append('t', ['1', '2', '3', '4', '5'], ROOMY);
		const { last } = await readAll(node);
		const narrow = { ...ROOMY, size: 4 };
		const bySize = await node.history.read('t', { after: 0, limit: 10 }, narrow);
		deepEqual([contents(bySize.entries), bySize.last], [['2', '3', '4', '5'], last]);
		const byBytes = await readAll(node, 't', { ...ROOMY, bytes: 3 });
		deepEqual([contents(byBytes.entries), byBytes.last], [['3', '4', '5'], last]);
	},

	async 'one topic is not let go for another'(stage) {
		const node = await historyNode(stage);
		const bounds = { ...ROOMY, size: 3, bytes: 6 };
		for (const topic of ['t', 'u']) await node.history.append(topic, ['aa', 'bb', 'cc'], bounds);
		for (let i = 0; i < 10; i++) await node.history.append('u', ['dd'], bounds);
		deepEqual(contents((await readAll(node, 't', bounds)).entries), ['aa', 'bb', 'cc']);
	},
};

/** Everything was heard, `kept` is what is left of it, and where that begins can be told. */
async function assertLetGo(node: HistoryNode, bounds: HistoryBounds, heard: number, kept: unknown[]): Promise<void> {
	await node.seen.untilEntries('t', heard);
	const all = node.seen.entries('t');
	equal(all.length, heard);
	assertChain(all, 0);
	const { last, epoch, entries } = await readAll(node, 't', bounds);
	deepEqual(contents(entries), kept);
	equal(last, all.at(-1)?.offset, 'the last offset is that of the last message, kept or not');
	assertChain(entries, all[heard - kept.length - 1]?.offset ?? 0);
	ok(node.seen.slices.every(({ slice }) => slice.epoch === epoch));
}

async function untilEmpty(node: HistoryNode, bounds: HistoryBounds): Promise<HistorySlice> {
	const end = Date.now() + PATIENCE_MS;
	for (;;) {
		const slice = await readAll(node, 't', bounds);
		if (slice.entries.length === 0) return slice;
		ok(Date.now() < end, `messages older than ${bounds.ttlMs} ms are still there`);
	}
}
