import { until } from '@orijs/testkit';
import { expect, it } from 'vitest';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';

const node = (): Promise<TestNode> =>
	openNode({ history: { 'chat:*': { size: 50, ttlMs: 60_000 } }, subprotocol: SUBPROTOCOL });

interface Received {
	readonly type?: string;
	readonly name?: string;
	readonly data: unknown;
}

const parsed = (messages: readonly unknown[]): Received[] =>
	messages.map((text) => JSON.parse(String(text)) as Received);

it('sends a client the position of many topics without messages in one frame', async () => {
	const { provider, connect } = await node();
	const topics = Array.from({ length: 100 }, (_, i) => `chat:${i}`);
	const { id, client } = await connect({ topics: new Set(topics) });

	await Promise.all(topics.map((topic) => provider.resume(id, topic, {})));
	await client.next();
	const [first] = parsed(client.messages);
	expect(first).toMatchObject({ type: '@position', data: { offset: 0, count: 0 } });
	expect(new Set((first as { data: { topics: string[] } }).data.topics)).toEqual(new Set(topics));
	expect(client.messages).toHaveLength(1);
});

it('sends separate frames for resumed topics and for others', async () => {
	const { provider, connect } = await node();
	const { id, client } = await connect({ topics: new Set(['chat:1', 'chat:2', 'chat:3']) });
	const { epoch, offset } = await provider.history('chat:1');

	await Promise.all([
		provider.resume(id, 'chat:1', { since: { epoch, offset } }),
		provider.resume(id, 'chat:2', {}),
		provider.resume(id, 'chat:3', { since: { epoch, offset } }),
	]);
	await client.received(2);
	expect(parsed(client.messages).map(({ data }) => data)).toEqual([
		{ topics: ['chat:1', 'chat:3'], epoch, offset, recovered: true, count: 0 },
		{ topics: ['chat:2'], epoch, offset, count: 0 },
	]);
});

it('sends no position after a message, even if the client was unsubscribed and subscribed again before that', async () => {
	const { provider, connect, settled } = await node();
	// After each number of microtasks that subscribing may take.
	for (let step = 0; step < 20; step++) {
		const topic = `chat:${step}`;
		const member = await connect();
		const resumed = provider.resume(member.id, topic, {});
		for (let i = 0; i < step; i++) await Promise.resolve();
		void provider.unsubscribe(member.id, topic, { by: 'client' });
		const subscribed = provider.subscribe(member.id, topic, { by: 'client' });
		await Promise.all([provider.publish(topic, 'first'), resumed, subscribed]);
		await settled(member);

		const types = parsed(messagesOf(member)).map(({ type, name }) => type ?? name);
		expect([step, types.at(-1), types.indexOf('@text')]).toEqual([step, '@text', types.length - 1]);
	}
});

it('sends the position before the first message, whenever that is published', async () => {
	const { provider, connect } = await node();
	// Publishes after each number of microtasks that subscribing may take.
	for (let step = 0; step < 20; step++) {
		const topic = `chat:${step}`;
		const { id, client } = await connect();
		const resumed = provider.resume(id, topic, {});
		for (let i = 0; i < step; i++) await Promise.resolve();
		await Promise.all([provider.publish(topic, 'first'), resumed]);
		await provider.publish(topic, 'last');
		await until(() => String(client.messages.at(-1)).includes('"last"'), { what: 'the last message has arrived' });

		const [position] = parsed(client.messages);
		expect(position).toMatchObject({ type: '@position', data: { topics: [topic], count: 0 } });
	}
});
