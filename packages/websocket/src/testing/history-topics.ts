import { deepEqual, equal, notEqual } from 'node:assert/strict';
import { assertAllHeard, contents, historyNode, readAll, ROOMY } from './history-stage.ts';
import type { Promises } from './stage.ts';

/** What a topic may be called, and that no two are taken for one. */
export const TOPICS: Promises = {
	async 'topics with similar names are different topics'(stage) {
		const names = ['a', 'A', 'aa', 'a:', ':a', 'a:b', 'a:key', 'a:key:x', 'a:meta', 'a:log', 'a.log', 'a-log', 'a_log'];
		const node = await historyNode(stage, ...names);
		await Promise.all(names.map((name) => node.history.append(name, [name], ROOMY, 'x')));
		const epochs = new Set<string>();
		for (const name of names) {
			await assertAllHeard([node], name, 1);
			const { epoch, entries } = await readAll(node, name);
			deepEqual(contents(entries), [name]);
			epochs.add(epoch);
		}
		equal(epochs.size, names.length, 'each topic has an epoch of its own');
		notEqual((await readAll(node, 'a:ke')).last, (await readAll(node, 'a:key')).last);
	},

	async 'every name a topic may have'(stage) {
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
		const node = await historyNode(stage, ...names);
		for (const name of names) await node.history.append(name, [name], ROOMY, 'key');
		for (const name of names) {
			await assertAllHeard([node], name, 1);
			deepEqual(contents(node.seen.entries(name)), [name]);
		}
	},
};
