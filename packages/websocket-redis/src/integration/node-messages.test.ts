import { startRedis, until } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { startNode } from '../test-support/test-nodes.ts';

it('a message to the node of a socket arrives in order with messages to that socket, even if it has left', async () => {
	const redis = await startRedis();
	onTestFinished(() => redis.stop());
	const connection = { port: redis.port };
	const [here, there] = [await startNode({ connection }), await startNode({ connection })];
	const { id, client } = await there.node.connect();
	const arrived: unknown[] = [];
	there.provider.onNodeMessage((text) => {
		arrived.push([text, there.provider.isConnected(id)]);
		void there.provider.send(id, `passed on: ${text}`).catch(() => {});
		if (text === 'last') there.provider.removeConnection(id);
	});

	void here.provider.send(id, 'first');
	for (const text of ['second', 'last', 'too late']) void here.provider.sendToNodeOf(id, text);
	await until(() => arrived.length === 3, { what: 'all have arrived' });
	await client.next((text) => text === 'passed on: last');
	expect(arrived).toEqual([
		['second', true],
		['last', true],
		['too late', false],
	]);
	expect(client.texts.slice(-3)).toEqual(['first', 'passed on: second', 'passed on: last']);
	await expect
		.poll(() => here.provider.sendToNodeOf(id, 'x').catch((error: Error) => error.name))
		.toBe('UnknownSocketError');
	await client.close();
});
