import { deepEqual, equal } from 'node:assert/strict';
import type { HistoryEntry, HistoryQuery } from '../history/history-store.ts';
import type { CaseContext } from './case-context.ts';
import type { Requirements } from './conformance.ts';
import { assertChain, contents } from './history-assertions.ts';
import { readAll, ROOMY, startHistoryNode, startHistoryNodes } from './history-node.ts';

interface Filled {
	/** Returns the contents of the messages that a query selects. */
	find(query: HistoryQuery): Promise<unknown[]>;
	readonly entries: readonly HistoryEntry[];
}

/** Fills a topic with the messages '0' to '9'. */
async function filled(context: CaseContext): Promise<Filled> {
	const node = await startHistoryNode(context);
	for (let i = 0; i < 10; i++) await node.history.append('t', [`${i}`], ROOMY);
	const all = await readAll(node);
	equal(all.entries.length, 10);
	return {
		entries: all.entries,
		async find(query) {
			const { epoch, last, entries } = await node.history.read('t', query, ROOMY);
			deepEqual(
				[epoch, last],
				[all.epoch, all.last],
				'epoch and last offset must be those of the topic, whatever the query',
			);
			if (entries[0] !== undefined) assertChain(entries, entries[0].prev);
			return contents(entries);
		},
	};
}

/** The requirements for `read`. */
export const READING: Requirements = {
	async '`after` reads the oldest messages after an offset'(context) {
		const { entries, find } = await filled(context);
		const offset = (i: number): number => entries[i]!.offset;
		deepEqual(await find({ after: 0, limit: 3 }), ['0', '1', '2']);
		deepEqual(await find({ after: 0, limit: 100 }), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
		deepEqual(await find({ after: offset(3), limit: 3 }), ['4', '5', '6']);
		deepEqual(await find({ after: offset(3), limit: 1 }), ['4']);
		deepEqual(await find({ after: offset(7), limit: 3 }), ['8', '9']);
		deepEqual(await find({ after: offset(9), limit: 3 }), []);
	},

	async '`before` reads the newest messages before an offset, oldest first; without it, the newest of all'(context) {
		const { entries, find } = await filled(context);
		const offset = (i: number): number => entries[i]!.offset;
		deepEqual(await find({ limit: 3 }), ['7', '8', '9']);
		deepEqual(await find({ limit: 100 }), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
		deepEqual(await find({ before: offset(6), limit: 3 }), ['3', '4', '5']);
		deepEqual(await find({ before: offset(6), limit: 1 }), ['5']);
		deepEqual(await find({ before: offset(2), limit: 3 }), ['0', '1']);
		deepEqual(await find({ before: offset(0), limit: 3 }), []);
	},

	async 'a limit of 0 reads no messages, only the epoch and the last offset'(context) {
		const { entries, find } = await filled(context);
		deepEqual(await find({ limit: 0 }), []);
		deepEqual(await find({ after: 0, limit: 0 }), []);
		deepEqual(await find({ before: entries[5]!.offset, limit: 0 }), []);
	},

	async 'with `bytes`, a read stops with the message that exceeds them, but not before the third'(context) {
		const { entries, find } = await filled(context);
		const middle = entries[5]!.offset;
		deepEqual(await find({ after: 0, limit: 100, bytes: 4 }), ['0', '1', '2', '3', '4']);
		deepEqual(await find({ after: 0, limit: 4, bytes: 4 }), ['0', '1', '2', '3']);
		deepEqual(await find({ after: middle, limit: 100, bytes: 0 }), ['6', '7', '8']);
		deepEqual(await find({ after: middle, limit: 100, bytes: 4 }), ['6', '7', '8', '9']);
		deepEqual(await find({ limit: 100, bytes: 4 }), ['5', '6', '7', '8', '9']);
		deepEqual(await find({ before: middle, limit: 100, bytes: 1 }), ['2', '3', '4']);
		deepEqual(await find({ before: middle, limit: 2, bytes: 1 }), ['3', '4']);
		deepEqual(await find({ before: middle, limit: 0, bytes: 1 }), []);
	},

	async 'with `bytes`, more messages are read than fit into one step, and their size is that of UTF-8'(context) {
		const { history } = await startHistoryNode(context);
		const texts = Array.from({ length: 50 }, (_, i) => `${i % 10}é`);
		await history.append('t', texts, ROOMY);
		const read = async (query: HistoryQuery): Promise<unknown[]> =>
			contents((await history.read('t', query, ROOMY)).entries);
		deepEqual(await read({ after: 0, limit: 100, bytes: 119 }), texts.slice(0, 40));
		deepEqual(await read({ limit: 100, bytes: 119 }), texts.slice(10));
		deepEqual(await read({ limit: 45, bytes: 1_000 }), texts.slice(5));
		deepEqual(await read({ after: 0, limit: 100, bytes: 1_000 }), texts);
	},

	async '`after` and `before` accept offsets that no message has'(context) {
		const { entries, find } = await filled(context);
		const offset = (i: number): number => entries[i]!.offset;
		// The results are the same in the rare case that the step is 1, and a message does have this offset.
		deepEqual(await find({ after: offset(4) - 1, limit: 2 }), ['4', '5']);
		deepEqual(await find({ before: offset(4) + 1, limit: 2 }), ['3', '4']);
		deepEqual(await find({ after: offset(9) + 1, limit: 2 }), []);
		deepEqual(await find({ before: offset(9) + 1, limit: 2 }), ['8', '9']);
		deepEqual(await find({ after: Number.MAX_SAFE_INTEGER, limit: 2 }), []);
		deepEqual(await find({ before: Number.MAX_SAFE_INTEGER, limit: 2 }), ['8', '9']);
		deepEqual(await find({ before: 1, limit: 2 }), []);
	},

	async 'a topic can be read page by page, forwards and backwards'(context) {
		const { entries, find } = await filled(context);
		const offset = (i: number): number => entries[i]!.offset;
		const forth = [0, offset(2), offset(5), offset(8)].map((after) => find({ after, limit: 3 }));
		deepEqual(await Promise.all(forth), [['0', '1', '2'], ['3', '4', '5'], ['6', '7', '8'], ['9']]);
		const back = [undefined, offset(7), offset(4), offset(1)].map((before) =>
			find(before === undefined ? { limit: 3 } : { before, limit: 3 }),
		);
		deepEqual(await Promise.all(back), [['7', '8', '9'], ['4', '5', '6'], ['1', '2', '3'], ['0']]);
	},

	async 'a read during appends sees the topic as of one moment'(context) {
		const [a, b] = await startHistoryNodes(context, 2);
		let done = false;
		const append = async (): Promise<void> => {
			for (let i = 0; i < 200; i++) await a!.history.append('t', [`${i}`, `${i}'`], ROOMY);
		};
		const readOften = async (): Promise<void> => {
			const { last, entries } = await readAll(b!);
			assertChain(entries, 0);
			equal(last, entries.at(-1)?.offset ?? 0);
			equal(entries.length % 2, 0, 'messages of one call must appear together');
			if (!done) await readOften();
		};
		await Promise.all([append().finally(() => (done = true)), readOften()]);
		equal((await readAll(b!)).entries.length, 400);
	},
};
