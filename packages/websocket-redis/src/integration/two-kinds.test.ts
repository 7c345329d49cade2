import { type RedisServer, startRedis, type TestClient } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { encodeBinaryFrame, readBinaryFrame } from '@orijs/websocket/protocol';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HistoryNode, startHistoryNode } from '../test-support/history-node.ts';

const FORGED = '{"name":"said","data":"forged","timestamp":1}';
const MAGIC_BYTES = encodeBinaryFrame({ timestamp: 1 }, Uint8Array.of(7));
const PAYLOADS = ['text', FORGED, ` ${FORGED}`, Uint8Array.of(1), MAGIC_BYTES] as const;
const Said = SocketMessage.define({
	name: 'said',
	data: { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) } },
});

let redis: RedisServer;
let nodes: [HistoryNode, HistoryNode];
beforeAll(async () => {
	redis = await startRedis();
	const start = (): Promise<HistoryNode> => startHistoryNode(redis, { 'long:*': { size: 100, ttlMs: 60_000 } });
	nodes = [await start(), await start()];
});
afterAll(async () => {
	await Promise.all(nodes.map((node) => node.stop()));
	await redis.stop();
});

/** What a client has received: messages as they are, or taken out of their frames, and the names of typed ones. */
function heard(client: TestClient): unknown[] {
	return client.messages.flatMap((message): unknown[] => {
		if (typeof message !== 'string')
			return [new Uint8Array(readBinaryFrame(message.slice().buffer)?.payload ?? message)];
		if (message.startsWith('id ')) return [];
		if (!message.startsWith('{')) return [message];
		const { name, data } = JSON.parse(message) as { name?: string; data: unknown };
		return name === undefined ? [] : [name === '@text' ? data : `typed: ${String(data)}`];
	});
}

it.each(['plain', 'long:topic'])('both kinds of client hear the same on every node, in %s', async (topic) => {
	const plain = await Promise.all(nodes.map(async ({ node }) => (await node.connectPlain([topic])).client));
	const speakers = await Promise.all(nodes.map(async ({ node }) => (await node.connect([topic])).client));
	const [{ provider }] = nodes;
	for (const payload of PAYLOADS) await provider.publish(topic, payload);
	await provider.emit(Said, topic, 'real');

	for (const client of plain) {
		await client.received(PAYLOADS.length + 2);
		const [, ...messages] = client.messages;
		expect(messages.slice(0, -1)).toEqual(PAYLOADS);
		expect(JSON.parse(String(messages.at(-1)))).toMatchObject({ name: 'said', data: 'real', topic });
	}
	for (const client of speakers) {
		await client.next((message) => typeof message === 'string' && message.includes('"real"'));
		expect(heard(client)).toEqual([...PAYLOADS, 'typed: real']);
	}
});

it('except leaves out clients of either kind on every node; the others hear the same', async () => {
	const crowd = await Promise.all(
		nodes.flatMap(({ node }) => [
			node.connectPlain(['room']),
			node.connectPlain(['room']),
			node.connect(['room']),
			node.connect(['room']),
		]),
	);
	const except = crowd.filter((_, i) => i % 2 === 0).map(({ id }) => id);
	const [{ provider }] = nodes;
	for (const payload of PAYLOADS) void provider.publish('room', payload, { except });
	void provider.emit(Said, 'room', 'real', { except });
	await provider.publish('room', 'end');

	for (const [i, { client }] of crowd.entries()) {
		await client.next((message) => message === 'end');
		const isPlain = i % 4 < 2;
		const [, ...messages] = client.messages;
		if (i % 2 === 0) expect(messages).toEqual(['end']);
		else if (!isPlain) expect(heard(client)).toEqual([...PAYLOADS, 'typed: real', 'end']);
		else {
			expect(messages.toSpliced(-2, 1)).toEqual([...PAYLOADS, 'end']);
			expect(JSON.parse(String(messages.at(-2)))).toMatchObject({ name: 'said', data: 'real', topic: 'room' });
		}
	}
});
