import { strict as assert } from 'node:assert';
import { UnsentMessageError } from '../../index.ts';
import { eventually, rejection, untilState } from '../assertions.ts';
import { Add, Say } from '../messages.ts';
import { newClient, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

/**
 * Delays so long that the client does not reconnect by itself during a scenario. The delay is random, but only one in
 * several thousand is shorter than a scenario.
 */
const LONG_DELAYS = { minDelayMs: 60_000_000, maxDelayMs: 60_000_000 };

export const reconnecting: Record<string, Scenario> = {
	'connect() during a delay makes the next attempt immediately, even if the server chose the delay': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server, { reconnect: LONG_DELAYS });
		for (const reason of ['', 'server is stopping; retry-after-ms=600000']) {
			await server.closeConnections(1012, reason);
			await untilState(client, 'waiting');
			await client.connect();
			assert.equal(client.state, 'ready');
		}
		assert.equal(await server.accepted(), 3);
	},

	'across graceful restarts every request is answered, and handled once': async (server) => {
		// A rate limit so high that some requests are always in transit.
		const often = { messagesPerSecond: 5_000 };
		await server.serve(often);
		const client = await readyClient(server, { queue: { messages: 5_000, characters: 1_000_000 } });
		const requests: Promise<number>[] = [];
		const timer = setInterval(() => {
			for (let i = 0; i < 5; i++) requests.push(client.request(Add, { a: requests.length, b: 0 }));
		}, 2);
		for (let restarts = 0; restarts < 3; restarts++) {
			const before = requests.length;
			await eventually(() => requests.length > before + 50, 'more requests are sent');
			await server.stop();
			await server.serve(often);
			await untilState(client, 'ready');
		}
		clearInterval(timer);
		assert.deepEqual(
			await Promise.all(requests),
			requests.map((_, index) => index),
		);
		const handled = (await server.handled()).map(({ data }) => (data as { a: number }).a);
		assert.deepEqual(
			handled.toSorted((one, other) => one - other),
			requests.map((_, index) => index),
		);
	},

	'a message with queue: false rejects without a connection, and is not reported': async (server) => {
		await server.serve();
		const client = newClient(server);
		const error = await rejection(client.send(Say, { text: 'early' }, { queue: false }));
		assert.ok(error instanceof UnsentMessageError);
		assert.equal(error.code, 'not_ready');
		await client.connect();
		await client.send(Say, { text: 'in time' }, { queue: false });
		await eventually(async () => (await server.handled()).length > 0, 'it is handled');
		assert.deepEqual(
			(await server.handled()).map(({ data }) => data),
			[{ text: 'in time' }],
		);
	},
};
