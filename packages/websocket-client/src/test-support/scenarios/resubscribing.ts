import { strict as assert } from 'node:assert';
import type { SocketRequestError } from '../../index.ts';
import { eventually } from '../assertions.ts';
import { failuresOf, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

const topics = (count: number): string[] => Array.from({ length: count }, (_, i) => `topic:${i}`);

export const resubscribing: Record<string, Scenario> = {
	'resubscribes 150 topics within the default limits': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await Promise.all(topics(150).map((topic) => client.subscribe(topic)));
		for (let i = 0; i < 3; i++) {
			await server.kill();
			await server.serve();
			await client.connect();
			await eventually(async () => (await server.subscribedTopics()).length === 150, 'all topics are subscribed again');
		}
		assert.deepEqual(await server.subscribedTopics(), topics(150).toSorted());
	},

	'a subscription that is refused after a reconnect ends, and calls onRefused': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const refused: SocketRequestError[] = [];
		const subscription = await client.subscribe('t', { onRefused: (error) => refused.push(error) });
		await client.subscribe('other');
		await server.forbid(['t']);
		await server.network('cut');
		await eventually(() => refused.length > 0, 'the gap is reported');
		assert.equal(refused[0]?.code, 'forbidden');
		assert.deepEqual(
			failuresOf(client).map(([where, error]) => [where, error]),
			[['subscribe', refused[0]]],
		);
		await subscription.close();
		assert.deepEqual(await server.subscribedTopics(), ['other']);

		await server.network('cut');
		await eventually(
			async () => (await server.accepted()) === 3 && client.state === 'ready',
			'the client has reconnected again',
		);
		await client.subscribe('marker');
		assert.equal(refused.length, 1);
	},

	'a topic that is unavailable after a reconnect is requested until it works': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: unknown[] = [];
		const gaps: unknown[] = [];
		const failures = failuresOf(client);
		await client.subscribe('t', {
			onMessage: (data) => received.push(data),
			onGap: ({ topic }) => gaps.push(topic),
			onRefused: (error) => assert.fail(error),
		});
		await server.breakBackend(true);
		await server.kill();
		await server.serve();
		await client.connect();
		await eventually(() => failures.length > 0, 'the error is reported');
		assert.match(
			failures.map(([where, { message }]) => `${where}: ${message}`).join(),
			/^subscribe: @subscribe t .*unavailable/,
		);
		assert.deepEqual([await server.subscribedTopics(), gaps], [[], []]);
		await server.breakBackend(false);
		await eventually(() => gaps.length > 0, 'the client has reconnected');
		await server.emit('t', 1);
		await eventually(() => received.length > 0, 'messages arrive');
		assert.deepEqual([received, gaps], [[{ n: 1 }], ['t']]);
	},

	'a topic that is refused by the rate limit is requested again, also the first time': async (server) => {
		await server.serveRaw({ answers: false });
		const client = await clientOfSilentServer(server);
		const subscribed = client.subscribe('t');
		await eventually(async () => (await server.received()).length === 2, '@subscribe has arrived');
		await server.sendRaw(
			'{"type":"@subscribe","correlationId":"@2","error":{"code":"rate_limited","message":"slowly"}}',
		);
		await eventually(async () => (await server.received()).length === 3, '@subscribe has arrived again');
		await server.sendRaw('{"type":"@subscribe","correlationId":"@3","data":{"timestamp":1,"refused":[]}}');
		await subscribed;
		const [, first, second] = await server.received();
		const waited = (second?.at ?? 0) - (first?.at ?? 0);
		assert.ok(waited > 900, `it was requested again after ${waited} ms`);
	},

	'a topic whose next request is postponed is unsubscribed from at once': async (server) => {
		await server.serveRaw({ answers: false });
		const client = await clientOfSilentServer(server);
		const subscription = client.subscribe('t');
		const arrived = (count: number): Promise<void> =>
			eventually(async () => (await server.received()).length === count, `${count} frames have arrived`, 900);
		await arrived(2);
		await server.sendRaw('{"type":"@position","data":{"topics":["t"],"epoch":"e","offset":1,"count":0}}');
		await server.sendRaw('{"type":"@subscribe","correlationId":"@2","data":{"timestamp":1,"refused":[]}}');
		const { close } = await subscription;
		await server.sendRaw(
			'{"name":"n","data":1,"timestamp":1,"topic":"t","position":{"epoch":"e","offset":3,"prev":2}}',
		);
		await arrived(3);
		await server.sendRaw(
			'{"type":"@subscribe","correlationId":"@3","error":{"code":"rate_limited","message":"slowly"}}',
		);
		const refused = new Promise((resolve) => client.onRaw(resolve));
		await server.sendRaw('after the refusal');
		await refused;
		const closed = close();
		await eventually(
			async () => (await server.received()).some(({ text }) => text.includes('@unsubscribe')),
			'@unsubscribe has arrived',
			900,
		);
		await client.close();
		await closed;
	},
};

/**
 * Connects a client to a raw server that answers nothing by itself. Answers the client's `@auth`, so that it is ready.
 */
async function clientOfSilentServer(server: Parameters<Scenario>[0]): ReturnType<typeof readyClient> {
	const ready = readyClient(server);
	await eventually(async () => (await server.received()).length === 1, '@auth has arrived');
	await server.sendRaw('{"type":"@auth","correlationId":"@1","data":{"socketId":"x","timestamp":1}}');
	return ready;
}
