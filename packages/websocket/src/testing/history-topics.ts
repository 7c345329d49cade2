import { deepEqual, equal, notEqual } from 'node:assert/strict';
import type { Requirements } from './conformance.ts';
import { assertAllReceived, contents } from './history-assertions.ts';
import { readAll, ROOMY, startHistoryNode } from './history-node.ts';

/** The requirements for topic names: all valid names work, and no two of them are confused. */
export const TOPICS: Requirements = {
	async 'topics with similar names are kept apart'(context) {
		const names = ['a', 'A', 'aa', 'a:', ':a', 'a:b', 'a:key', 'a:key:x', 'a:meta', 'a:log', 'a.log', 'a-log', 'a_log'];
		const node = await startHistoryNode(context, ...names);
		await Promise.all(names.map((name) => node.history.append(name, [name], ROOMY, 'x')));
		const epochs = new Set<string>();
		for (const name of names) {
			await assertAllReceived([node], name, 1);
			const { epoch, entries } = await readAll(node, name);
			deepEqual(contents(entries), [name]);
			epochs.add(epoch);
		}
		equal(epochs.size, names.length, 'each topic must have its own epoch');
		notEqual((await readAll(node, 'a:ke')).last, (await readAll(node, 'a:key')).last);
	},

	async 'every allowed topic name works'(context) {
		const names = [
			'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
			'abcdefghijklmnopqrstuvwxyz',
			'0123456789',
			'_:.-',
			':',
			'.',
			'-',
			'_',
			'..',
			'::',
			'0',
			'-1',
			'__proto__',
			'constructor',
			'toString',
			't'.repeat(256),
			':'.repeat(256),
		];
		const node = await startHistoryNode(context, ...names);
		for (const name of names) await node.history.append(name, [name], ROOMY, 'key');
		for (const name of names) {
			await assertAllReceived([node], name, 1);
			deepEqual(contents(node.received.entries(name)), [name]);
		}
	},
};
