import { deepEqual, equal } from 'node:assert/strict';
import type { Requirements } from './conformance.ts';
import { assertAllReceived, contents } from './history-assertions.ts';
import { readAll, ROOMY, startHistoryNode, startHistoryNodes } from './history-node.ts';

/** The requirements for idempotency keys. */
export const IDEMPOTENCY: Requirements = {
	async 'of concurrent appends with one key, one takes effect'(context) {
		const nodes = await startHistoryNodes(context, 4, 't');
		await Promise.all(Array.from({ length: 100 }, (_, i) => nodes[i % 4]!.history.append('t', [`${i}`], ROOMY, 'key')));
		await nodes[0]!.history.append('t', ['again'], ROOMY, 'key');
		await nodes[1]!.history.append('t', ['end'], ROOMY);
		await assertAllReceived(nodes, 't', 2);
		deepEqual(contents((await readAll(nodes[0]!)).entries)[1], 'end');
	},

	async 'a repeated append changes nothing, from whichever node'(context) {
		const [a, b] = await startHistoryNodes(context, 2, 't');
		await a!.history.append('t', ['first'], ROOMY, 'key');
		const before = await readAll(a!);
		const position = await b!.history.append('t', ['second'], { ...ROOMY, size: 0 }, 'key');
		equal(position, undefined, 'an append that was ignored has no position');
		deepEqual(await readAll(a!), before);
	},

	async 'a key outlives its message'(context) {
		const node = await startHistoryNode(context, 't');
		const bounds = { ...ROOMY, size: 1 };
		await node.history.append('t', ['first'], bounds, 'key');
		await node.history.append('t', ['next'], bounds);
		await node.history.append('t', ['repeated'], bounds, 'key');
		await node.history.append('t', ['end'], bounds);
		await node.received.untilEntries('t', 3);
		deepEqual(contents(node.received.entries('t')), ['first', 'next', 'end']);
	},

	async 'keys are compared exactly, and per topic'(context) {
		const node = await startHistoryNode(context);
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

	async 'pairs of topic and key that join to the same text are different'(context) {
		const node = await startHistoryNode(context);
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

	async 'appends without a key all take effect'(context) {
		const node = await startHistoryNode(context);
		for (let i = 0; i < 3; i++) await node.history.append('t', ['same'], ROOMY);
		deepEqual(contents((await readAll(node)).entries), ['same', 'same', 'same']);
	},
};
