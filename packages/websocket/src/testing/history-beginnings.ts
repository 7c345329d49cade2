import { deepEqual, equal, match, ok } from 'node:assert/strict';
import type { HistorySlice } from '../history/history-store.ts';
import { startsAfter } from '../history/provisional-epoch.ts';
import type { Requirements } from './conformance.ts';
import { assertAllReceived, contents } from './history-assertions.ts';
import { readAll, ROOMY, startHistoryNode, startHistoryNodes } from './history-node.ts';

const PROVISIONAL = /^[A-Za-z0-9_-]{16}\.\d+$/;

/** The requirements for topics without messages, and for their first message. */
export const BEGINNINGS: Requirements = {
	async 'an unknown topic has a provisional epoch, and its first message continues it'(context) {
		const [a, b] = await startHistoryNodes(context, 2, 't');
		const reads = await Promise.all([a!, b!, a!, b!].map((node) => readAll(node)));
		reads.push(await b!.history.read('t', { after: 5, limit: 5 }, ROOMY));
		const { epoch } = reads[0]!;
		match(epoch, PROVISIONAL);
		for (const read of reads) deepEqual([read.epoch, read.last, read.entries], [epoch, 0, []]);
		await a!.history.append('t', ['x'], ROOMY);
		await assertAllReceived([a!, b!], 't', 1);
		for (const slice of [b!.received.slices[0]!.slice, await readAll(a!)]) {
			assertContinues(slice, epoch);
			match(slice.epoch, /^[A-Za-z0-9_-]{16}$/);
			equal(slice.entries[0]?.prev, 0);
			deepEqual(contents(slice.entries), ['x']);
		}
	},

	async 'each topic begins its own epoch'(context) {
		const node = await startHistoryNode(context, 't', 'u');
		const epochs = new Set<string>();
		for (const topic of ['t', 'u']) {
			const { epoch } = await readAll(node, topic);
			await node.history.append(topic, [topic], ROOMY);
			const slice = await readAll(node, topic);
			assertContinues(slice, epoch);
			epochs.add(slice.epoch);
		}
		equal(epochs.size, 2);
	},

	async 'a provisional epoch is continued however many other topics begin'(context) {
		const node = await startHistoryNode(context);
		const { epoch } = await readAll(node);
		for (let i = 0; i < 50; i++) await node.history.append(`other:${i}`, ['x'], ROOMY);
		const unknown = await readAll(node);
		match(unknown.epoch, PROVISIONAL);
		assertContinues(unknown, epoch);
		await node.history.append('t', ['x'], ROOMY);
		const known = await readAll(node);
		assertContinues(known, epoch);
		assertContinues(known, unknown.epoch);
	},

	async 'the slice of the first append says what its epoch continues, as does every slice that is read; no other does'(
		context,
	) {
		const node = await startHistoryNode(context, 't');
		for (const text of ['1', '2', '3']) await node.history.append('t', [text], ROOMY);
		await node.received.untilEntries('t', 3);
		const delivered = node.received.slices.map(({ slice }) => slice);
		deepEqual(
			delivered.map(({ beginning }) => beginning !== undefined),
			[true, false, false],
		);
		for (const query of [{ limit: 0 }, { limit: 1 }, { after: 0, limit: 5 }, { before: 1, limit: 5 }])
			deepEqual((await node.history.read('t', query, ROOMY)).beginning, delivered[0]?.beginning);
	},

	async 'an epoch does not continue a provisional epoch that is of another store, too early, or malformed'(context) {
		const node = await startHistoryNode(context, 't');
		const unknown = await readAll(node);
		const { store, after } = unknown.beginning!;
		const foreign = `${'x'.repeat(16)}.${after}`;
		const others = [foreign, `${store}.${after - 1}`, `${store}.x`, store, '.', '.1'];
		// A position that is ahead of the store dates from before the store lost data.
		for (const other of [...others, `${store}.${Number.MAX_SAFE_INTEGER}`])
			ok(!startsAfter(unknown.epoch, unknown.beginning, other), `${other} must not be continued`);
		await node.history.append('t', ['x'], ROOMY);
		const known = await readAll(node);
		for (const other of others) ok(!startsAfter(known.epoch, known.beginning, other), `${other} must not be continued`);
	},

	async 'the first epoch continues every read that races with the first append'(context) {
		const nodes = await startHistoryNodes(context, 4);
		for (let i = 0; i < 10; i++) {
			const topic = `race:${i}`;
			const reads = nodes.flatMap((node) => [0, 1, 2].map(() => readAll(node, topic)));
			await Promise.all([...nodes.map(({ history }) => history.append(topic, ['x'], ROOMY)), ...reads]);
			const known = await readAll(nodes[0]!, topic);
			equal(known.entries.length, nodes.length);
			equal(known.entries[0]?.prev, 0);
			for (const read of await Promise.all(reads)) {
				if (read.last === 0) assertContinues(known, read.epoch);
				else equal(read.epoch, known.epoch);
			}
		}
	},

	async 'positions of topics that are remembered for different times are continued as well'(context) {
		const node = await startHistoryNode(context);
		const long = { ...ROOMY, ttlMs: 30 * 24 * 60 * 60_000 };
		for (const [i, bounds] of [ROOMY, long, ROOMY, long].entries()) {
			const { epoch } = await readAll(node, `t${i}`, bounds);
			await node.history.append(`t${i}`, ['x'], bounds);
			assertContinues(await readAll(node, `t${i}`, bounds), epoch);
		}
	},
};

function assertContinues({ epoch, beginning }: HistorySlice, earlier: string): void {
	ok(startsAfter(epoch, beginning, earlier), `${epoch} must continue ${earlier}; it has ${JSON.stringify(beginning)}`);
}
