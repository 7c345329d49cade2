import { strict as assert } from 'node:assert';
import { InvalidTopicError, SocketRequestError } from '../../index.ts';
import { eventually, rejection } from '../assertions.ts';
import { numberCollector } from '../number-collector.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

/** Resolves with one list of topics for each message of this type that the server has received. */
async function listsOf(server: TestServer, type: string): Promise<string[][]> {
	const frames = (await server.received()).map(
		({ text }) => JSON.parse(text) as { type: string; data: { topics: string[] } },
	);
	return frames.filter((frame) => frame.type === type).map(({ data }) => data.topics);
}

const topics = (count: number): string[] => Array.from({ length: count }, (_, i) => `topic:${i}`);

export const subscribing: Record<string, Scenario> = {
	'subscribe() resolves when messages from every node arrive': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		for (let n = 0; n < 20; n++) {
			const numbers = numberCollector();
			const { topic } = await client.subscribe(`t:${n}`, numbers);
			await server.emit(topic, n);
			await eventually(() => numbers.received.length > 0, 'the message has arrived');
			assert.deepEqual([topic, numbers.received], [`t:${n}`, [n]]);
		}
	},

	'a refused topic rejects with the code, and may be requested again': async (server) => {
		await server.serve({ topicsPerSocket: 1 });
		await server.forbid(['secret']);
		const client = await readyClient(server);
		const [error, open] = await Promise.all([rejection(client.subscribe('secret')), client.subscribe('open')]);
		assert.ok(error instanceof SocketRequestError);
		assert.equal(error.code, 'forbidden');
		assert.match(error.message, /secret/);
		assert.equal((await rejection(client.subscribe('one-more'))).code, 'too_many_topics');
		await open.close();
		await client.subscribe('one-more');
		assert.deepEqual(await server.subscribedTopics(), ['one-more']);
	},

	'a broken backend rejects with unavailable, and works the next time': async (server) => {
		await server.serve();
		await server.breakBackend(true);
		const client = await readyClient(server);
		assert.equal((await rejection(client.subscribe('t'))).code, 'unavailable');
		await server.breakBackend(false);
		await client.subscribe('t');
		assert.deepEqual(await server.subscribedTopics(), ['t']);
	},

	'two subscriptions of a topic are one at the server, until both are closed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const [first, second] = [numberCollector(), numberCollector()];
		const [one, two] = await Promise.all([client.subscribe('t', first), client.subscribe('t', second)]);
		await server.emit('t', 1);
		await eventually(() => second.received.length === 1, 'both receive it');
		await one.close();
		assert.deepEqual(await server.subscribedTopics(), ['t']);
		await server.emit('t', 2);
		await eventually(() => second.received.length === 2, 'the second receives it');
		assert.deepEqual([first.received, second.received], [[1], [1, 2]]);
		await one.close();
		await two.close();
		assert.deepEqual(await server.subscribedTopics(), []);
		await two.close();
	},

	'the same handlers may serve several subscriptions': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const numbers = numberCollector();
		const one = await client.subscribe('t', numbers);
		await client.subscribe('t', numbers);
		await one.close();
		await server.emit('t', 1);
		await eventually(() => numbers.received.length > 0, 'the message has arrived');
		assert.deepEqual(numbers.received, [1]);
	},

	'messages reach only the subscription of their topic': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: unknown[] = [];
		for (const topic of ['a', 'b']) {
			await client.subscribe(topic, { onMessage: (_, envelope) => received.push([topic, envelope.topic]) });
		}
		await server.emit('a', 1);
		await server.emit('b', 2);
		await eventually(() => received.length >= 2, 'both messages have arrived');
		assert.deepEqual(received, [
			['a', 'a'],
			['b', 'b'],
		]);
	},

	'250 topics of one tick are subscribed in three messages, and unsubscribed in three': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const all = await Promise.all(topics(250).map((topic) => client.subscribe(topic)));
		const joining = await listsOf(server, '@subscribe');
		assert.deepEqual(
			joining.map(({ length }) => length),
			[100, 100, 50],
		);
		assert.deepEqual(joining.flat(), topics(250));
		await Promise.all(all.map((subscription) => subscription.close()));
		assert.deepEqual(
			(await listsOf(server, '@unsubscribe')).map(({ length }) => length),
			[100, 100, 50],
		);
	},

	'a subscription before there is a connection waits for it': async (server) => {
		const client = newClient(server);
		const early = client.subscribe('early');
		void client.connect();
		const waiting = client.subscribe('waiting');
		await server.serve();
		await Promise.all([early, waiting]);
		assert.deepEqual(await server.subscribedTopics(), ['early', 'waiting']);
	},

	'rejects an invalid topic immediately': async (server) => {
		const client = newClient(server);
		failuresOf(client);
		for (const topic of ['', 'no spaces', '*', '@x', 'a/b', 'n'.repeat(257), 5 as never, undefined as never]) {
			assert.ok((await rejection(client.subscribe(topic))) instanceof InvalidTopicError);
		}
	},
};
