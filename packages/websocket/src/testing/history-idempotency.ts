import { deepEqual, equal } from 'node:assert/strict';
import { assertAllHeard, contents, historyNode, historyNodes, readAll, ROOMY } from './history-stage.ts';
import type { Promises } from './stage.ts';

/** What a key does. */
export const IDEMPOTENCY: Promises = {
	async 'of appends that race with one key, one is done'(stage) {
		const nodes = await historyNodes(stage, 4, 't');
		await Promise.all(Array.from({ length: 100 }, (_, i) => nodes[i % 4]!.history.append('t', [`${i}`], ROOMY, 'key')));
		await nodes[0]!.history.append('t', ['again'], ROOMY, 'key');
		await nodes[1]!.history.append('t', ['end'], ROOMY);
		await assertAllHeard(nodes, 't', 2);
		deepEqual(contents((await readAll(nodes[0]!)).entries)[1], 'end');
	},

	async 'an append that is not done changes nothing, wherever the first came from'(stage) {
		const [a, b] = await historyNodes(stage, 2, 't');
		await a!.history.append('t', ['first'], ROOMY, 'key');
		const before = await readAll(a!);
		await b!.history.append('t', ['second'], { ...ROOMY, size: 0 }, 'key');
		deepEqual(await readAll(a!), before);
	},

	async 'a key outlives its message'(stage) {
		const node = await historyNode(stage, 't');
		const bounds = { ...ROOMY, size: 1 };
		await node.history.append('t', ['first'], bounds, 'key');
		await node.history.append('t', ['next'], bounds);
		await node.history.append('t', ['repeated'], bounds, 'key');
		await node.history.append('t', ['end'], bounds);
		await node.seen.untilEntries('t', 3);
		deepEqual(contents(node.seen.entries('t')), ['first', 'next', 'end']);
	},

	async 'other keys, and the same key on other topics, are others'(stage) {
		const node = await historyNode(stage);
		const odd = 'ключ {x} :*\0"\\ 🔑 %s '.padEnd(256, 'x');
		const keys = ['k', 'K', 'k ', ' k', 'k:', 'k*', '0', '__proto__', 'constructor', odd, `${odd.slice(0, 255)}y`];
		equal(odd.length, 256);
		for (let round = 0; round < 2; round++) {
			for (const key of keys) {
				for (const topic of ['t', 'u']) await node.history.append(topic, [key], ROOMY, key);
			}
		}
		for (const topic of ['t', 'u']) deepEqual(contents((await readAll(node, topic)).entries), keys);
	},

	async 'topic and key are not run together'(stage) {
		const node = await historyNode(stage);
		const pairs = [
			['a', 'b:c'],
			['a:b', 'c'],
			['a', 'key:b'],
			['a:key', 'b'],
			['ab', 'c'],
			['a', 'bc'],
		] as const;
		for (const [topic, key] of pairs) await node.history.append(topic, [`${topic}|${key}`], ROOMY, key);
		for (const [topic, key] of pairs) {
			const found = contents((await readAll(node, topic)).entries);
			equal(found.filter((content) => content === `${topic}|${key}`).length, 1);
		}
	},

	async 'without a key everything is done'(stage) {
		const node = await historyNode(stage);
		for (let i = 0; i < 3; i++) await node.history.append('t', ['same'], ROOMY);
		deepEqual(contents((await readAll(node)).entries), ['same', 'same', 'same']);
	},
};
