import { strict as assert } from 'node:assert';
import { eventually, untilState } from '../assertions.ts';
import { connectErrorsOf, failuresOf, newClient, readyClient, statesOf } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

/** Pages can read the answers of endpoints, and of applications, but not those of other servers of another origin. */
const isPage = 'document' in globalThis;

/** Connects to a server where no connection becomes ready, and checks that the reason is reported once. */
async function assertReported(server: TestServer, reason: RegExp, url: string = server.url): Promise<void> {
	const client = newClient(server, {}, url);
	void client.connect();
	const reported = connectErrorsOf(client);
	await eventually(() => reported.length > 0, 'an error is reported');
	const failed = statesOf(client).length;
	await eventually(() => statesOf(client).length > failed + 6, 'three more attempts have failed');
	assert.deepEqual(
		reported.map(({ message }) => message.replace(reason, 'expected')),
		[`No connection to ${url} (1006): expected`],
	);
	await client.close();
}

export const diagnosing: Record<string, Scenario> = {
	'a wrong path is reported': async (server) => {
		await server.serve();
		await assertReported(server, /HTTP 404; check the path .*/, server.url.replace('/ws', '/live'));
	},

	'an endpoint that is full is reported, until it has room': async (server) => {
		await server.serve({ connections: 1 });
		const first = await readyClient(server);
		await assertReported(server, /WebSocket refused: there are too many connections.*/);
		const second = newClient(server);
		const ready = second.connect();
		await eventually(() => connectErrorsOf(second).length === 1, 'the second client is told');
		await first.close();
		await ready;
	},

	'a page whose origin may not connect reports that; other clients have no origin': async (server) => {
		await server.serve({ allowedOrigins: ['https://other.example'] });
		if (isPage) await assertReported(server, /WebSocket refused: pages of this origin may not connect.*/);
		else await readyClient(server);
	},

	'a server that is gone is reported': async (server) => {
		await assertReported(server, /no readable answer; check the path .*/);
	},

	'an outage of a server that worked is reported, each one once': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		await server.kill();
		await eventually(() => connectErrorsOf(client).length === 1, 'the outage is reported');
		await server.serveRaw();
		await untilState(client, 'ready');
		await client.close();
		await client.connect();
		await server.kill();
		await eventually(() => connectErrorsOf(client).length === 2, 'the next outage is reported');
	},

	...Object.fromEntries(
		[200, 403, 404, 503].map((status): [string, Scenario] => [
			`a server without an endpoint that answers ${status} is reported`,
			async (server) => {
				await server.serveRaw({ status });
				const found = isPage ? 'no readable answer' : `HTTP ${status}`;
				await assertReported(server, new RegExp(`${found}; check the path .*`));
			},
		]),
	),

	'a client with reconnect: false makes one attempt, and its lost connection is not replaced': async (server) => {
		const client = newClient(server, { reconnect: false });
		await assert.rejects(client.connect(), {
			name: 'ClientClosedError',
			message: /^The client stopped reconnecting: 1006 No connection to .*: no readable answer; check/,
		});
		assert.deepEqual(statesOf(client), ['connecting', 'closed']);

		await server.serve();
		await client.connect();
		await server.network('cut');
		await untilState(client, 'closed');
		assert.deepEqual(statesOf(client).slice(2), ['connecting', 'ready', 'closed']);
		failuresOf(client);
		await assert.rejects(client.subscribe('t'), /^ClientClosedError: The client stopped reconnecting: 1006 /);
	},

	'with maxAttempts a lost connection is replaced, and only failed attempts in a row count': async (server) => {
		await server.serve();
		// Delays so long that only connect() makes attempts.
		const client = newClient(server, { reconnect: { minDelayMs: 60_000_000, maxDelayMs: 60_000_000, maxAttempts: 2 } });
		const waiting = (): number => statesOf(client).filter((state) => state === 'waiting').length;
		await client.connect();
		for (let i = 0; i < 3; i++) {
			await server.network('refuse');
			await server.network('cut');
			await eventually(() => waiting() === 2 * i + 1, 'the connection is lost');
			void client.connect();
			await eventually(() => waiting() === 2 * i + 2, 'the attempt has failed');
			await server.network('accept');
			await client.connect();
		}
		await server.kill();
		await untilState(client, 'waiting');
		void client.connect();
		await eventually(() => waiting() === 8, 'the attempt has failed');
		await assert.rejects(
			client.connect(),
			/^ClientClosedError: The client stopped reconnecting: 1006 No connection to/,
		);
		await server.serve();
		await client.connect();
	},
};
