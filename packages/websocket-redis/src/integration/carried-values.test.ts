import { type RedisServer, startRedis, type TestClient, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { restoreValues } from '@orijs/websocket/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startNode } from '../test-support/test-nodes.ts';

interface Content {
	readonly at: Date;
	readonly photo: Uint8Array;
	readonly rows: readonly { readonly raw: ArrayBuffer }[];
}

const Shared = SocketMessage.define({
	name: 'shared',
	data: { '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value: value as Content }) } },
});
const content: Content = { at: new Date(5), photo: Uint8Array.of(0, 255), rows: [{ raw: Uint8Array.of(7).buffer }] };

/** The data of the messages that a client received, as `SocketClient` reads them. */
function received({ texts }: TestClient): unknown[] {
	const envelopes = texts
		.filter((text) => text.startsWith('{"name":"shared"'))
		.map((text) => JSON.parse(text) as { data: unknown });
	for (const envelope of envelopes) restoreValues(envelope);
	return envelopes.map(({ data }) => data);
}

describe('dates and bytes in typed data, on two nodes', () => {
	let redis: RedisServer;
	beforeAll(async () => {
		redis = await startRedis();
	});
	afterAll(() => redis.stop());

	it.each(['t', 'chat:1'])('arrive on both nodes, from the topic %s', async (topic) => {
		const options = { connection: { port: redis.port }, history: { 'chat:*': { size: 10, ttlMs: 60_000 } } };
		const [a, b] = [await startNode(options), await startNode(options)];
		const clients = await Promise.all([a, b].map(async ({ node }) => (await node.connect([topic])).client));
		await a.provider.emit(Shared, topic, content);
		for (const client of clients) {
			await until(() => received(client).length === 1, { what: 'the message arrives' });
			expect(received(client)).toStrictEqual([content]);
		}
	});

	it('are read back from a history by another node', async () => {
		const options = { connection: { port: redis.port }, history: { 'kept:*': { size: 10, ttlMs: 60_000 } } };
		const [a, b] = [await startNode(options), await startNode(options)];
		await a.provider.emit(Shared, 'kept:1', content);
		const { messages } = await b.provider.history('kept:1');
		expect(messages.map(({ data }) => data)).toStrictEqual([content]);

		const { id, client } = await b.node.connect();
		await b.provider.resume(id, 'kept:1', { rewind: 1 });
		await until(() => received(client).length === 1, { what: 'the message arrives' });
		expect(received(client)).toStrictEqual([content]);
	});
});
