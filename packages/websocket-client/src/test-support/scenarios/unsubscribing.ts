import { strict as assert } from 'node:assert';
import { ClientClosedError } from '../../index.ts';
import { eventually, isSettled, rejection } from '../assertions.ts';
import { numberCollector } from '../number-collector.ts';
import { failuresOf, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const unsubscribing: Record<string, Scenario> = {
	'no handler is called once close() was called': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const numbers = numberCollector();
		const subscription = await client.subscribe('t', numbers);
		const closed = subscription.close();
		await server.emit('t', 1);
		await closed;
		await client.subscribe('marker');
		assert.deepEqual(numbers.received, []);
	},

	'subscribe() right after close() subscribes': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const first = await client.subscribe('t');
		const closed = first.close();
		const numbers = numberCollector();
		const again = client.subscribe('t', numbers);
		await eventually(() => isSettled(again), 'it is confirmed', 2_000);
		await closed;
		await server.emit('t', 1);
		await eventually(() => numbers.received.length === 1, 'messages arrive');
		assert.deepEqual(await server.subscribedTopics(), ['t']);
	},

	'subscribe() one tick after close() subscribes': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		for (let n = 0; n < 5; n++) {
			const first = await client.subscribe('t');
			const closed = first.close();
			await Promise.resolve();
			const numbers = numberCollector();
			const [again] = await Promise.all([client.subscribe('t', numbers), closed]);
			await server.emit('t', n);
			await eventually(() => numbers.received.length === 1, 'messages arrive');
			await again.close();
		}
		assert.deepEqual(await server.subscribedTopics(), []);
	},

	'close() of the client rejects pending subscriptions, and keeps confirmed ones': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const kept = numberCollector();
		await client.subscribe('kept', kept);
		const pending = client.subscribe('pending');
		const closed = client.close();
		assert.ok((await rejection(pending)) instanceof ClientClosedError);
		failuresOf(client);
		assert.ok((await rejection(client.subscribe('closed'))) instanceof ClientClosedError);
		await closed;
		await client.connect();
		await eventually(async () => (await server.subscribedTopics()).length > 0, 'the topic is subscribed again');
		await client.subscribe('marker');
		await server.emit('kept', 1);
		await eventually(() => kept.received.length === 1, 'messages arrive');
		assert.deepEqual(await server.subscribedTopics(), ['kept', 'marker']);
	},

	'close() of a subscription without a connection resolves, and it is not resubscribed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const subscription = await client.subscribe('t');
		await server.kill();
		await eventually(() => client.state !== 'ready', 'the loss is noticed');
		await subscription.close();
		await server.serve();
		await client.connect();
		await client.subscribe('marker');
		assert.deepEqual(await server.subscribedTopics(), ['marker']);
	},
};
