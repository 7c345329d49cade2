import { strict as assert } from 'node:assert';
import { ClientClosedError } from '../../index.ts';
import { eventually, isSettled, rejection, untilState } from '../assertions.ts';
import { connectErrorsOf, newClient, readyClient, statesOf } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const connecting: Record<string, Scenario> = {
	'goes from idle to connecting, ready and closed': async (server) => {
		await server.serve();
		const client = newClient(server);
		assert.equal(client.state, 'idle');
		assert.equal(client.socketId, undefined);

		await client.connect();
		assert.equal(client.state, 'ready');
		assert.match(client.socketId ?? '', /^[0-9a-f-]{36}$/);

		await client.close();
		assert.equal(client.socketId, undefined);
		assert.deepEqual(statesOf(client), ['connecting', 'ready', 'closed']);
		await eventually(async () => (await server.connections()) === 0, 'the connection is gone');
	},

	'each state change has the previous state and the cause': async (server) => {
		await server.serveRaw();
		const client = newClient(server);
		const changes: unknown[] = [];
		client.onStateChange((state, change) => changes.push([state, change]));
		await client.connect();
		await server.closeConnections(1012, 'bye; retry-after-ms=1');
		await eventually(() => changes.length === 5, 'the client has reconnected');
		await client.close();
		assert.deepEqual(changes, [
			['connecting', { previous: 'idle' }],
			['ready', { previous: 'connecting' }],
			['waiting', { previous: 'ready', end: { code: 1012, reason: 'bye; retry-after-ms=1' }, retryInMs: 1 }],
			['connecting', { previous: 'waiting' }],
			['ready', { previous: 'connecting' }],
			['closed', { previous: 'ready' }],
		]);
	},

	'connect() twice opens one connection': async (server) => {
		await server.serve();
		const client = newClient(server);
		await Promise.all([client.connect(), client.connect()]);
		await client.connect();
		assert.equal(await server.accepted(), 1);
	},

	'connect() waits for a server that starts later': async (server) => {
		const client = newClient(server);
		const ready = client.connect();
		await untilState(client, 'waiting');
		assert.equal(await isSettled(ready), false);
		const again = client.connect();

		await server.serve();
		await Promise.all([ready, again]);
		assert.equal(client.state, 'ready');
	},

	'connect() after the connection was lost waits for the next one': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await server.kill();
		await untilState(client, 'waiting');
		const again = client.connect();
		assert.equal(await isSettled(again), false);
		await server.serve();
		await again;
		assert.equal(client.state, 'ready');
	},

	'connect() after close() opens a new connection with another id': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const before = client.socketId;
		await client.close();
		await client.connect();
		assert.equal(client.state, 'ready');
		assert.notEqual(client.socketId, before);
	},

	'close() right before connect() leaves one connection': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const closed = client.close();
		await client.connect();
		await closed;
		assert.equal(client.state, 'ready');
		await eventually(async () => (await server.connections()) === 1, 'the first connection is gone');
	},

	'close() while connecting aborts the attempt, and connect() rejects': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server);
		const ready = client.connect();
		await eventually(async () => (await server.received()).length === 1, '@auth has arrived');
		await client.close();
		const error = await rejection(ready);
		assert.ok(error instanceof ClientClosedError);
		assert.equal(error.end, undefined);
		await eventually(async () => (await server.connections()) === 0, 'the connection is gone');
	},

	'close() before the connection is open leaves no connection': async (server) => {
		await server.serve();
		const client = newClient(server);
		const ready = client.connect();
		await client.close();
		assert.ok((await rejection(ready)) instanceof ClientClosedError);
		await eventually(async () => (await server.connections()) === 0, 'there is no connection');
		assert.deepEqual(statesOf(client), ['connecting', 'closed']);
	},

	'close() during a delay cancels the next attempt': async (server) => {
		const client = newClient(server);
		const ready = client.connect();
		await untilState(client, 'waiting');
		await client.close();
		assert.ok((await rejection(ready)) instanceof ClientClosedError);
		await server.serve();
		await new Promise((resolve) => setTimeout(resolve, 250));
		assert.equal(await server.accepted(), 0);
	},

	'close() may be called twice, and before connect()': async (server) => {
		await server.serve();
		const client = newClient(server);
		await client.close();
		assert.equal(client.state, 'closed');
		await client.connect();
		await Promise.all([client.close(), client.close()]);
		await client.close();
		assert.equal(client.state, 'closed');
	},

	'close() on a dead network resolves within about two seconds': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await server.network('freeze');
		const began = performance.now();
		await client.close();
		const took = performance.now() - began;
		assert.ok(took < 3_000, `it took ${took} ms`);
	},

	'a state listener may close the client': async (server) => {
		await server.serve();
		for (const when of ['connecting', 'ready'] as const) {
			const client = newClient(server);
			client.onStateChange((state) => state === when && client.close());
			await client.connect().catch(() => {});
			assert.equal(client.state, 'closed');
		}
		await server.kill();
		const client = newClient(server);
		client.onStateChange((state) => state === 'waiting' && client.close());
		assert.ok((await rejection(client.connect())) instanceof ClientClosedError);
		assert.equal(client.state, 'closed');
	},

	'a state listener may connect again on closed, and subscribe': async (server) => {
		await server.serve({ token: 'new' });
		let token = 'old';
		const client = newClient(server, { auth: () => token });
		const rejoined: Promise<unknown>[] = [];
		client.onStateChange((state) => {
			if (state !== 'closed' || token === 'new') return;
			token = 'new';
			rejoined.push(client.connect(), client.subscribe('t'));
		});
		await client.connect().catch(() => {});
		await Promise.all(rejoined);
		assert.deepEqual(await server.subscribedTopics(), ['t']);
	},

	'a server that does not answer @auth times out, and is reported': async (server) => {
		await server.serveRaw({ answers: false });
		const client = newClient(server, { connectTimeoutMs: 100 });
		const ready = client.connect();
		await eventually(() => statesOf(client).includes('waiting'), 'the attempt has failed');
		assert.match(connectErrorsOf(client)[0]?.message ?? '', /^not ready within 100 ms$/);
		assert.equal(await isSettled(ready), false);
	},

	'retries a refused upgrade': async (server) => {
		await server.serveRaw({ status: 503 });
		const client = newClient(server);
		const ready = client.connect();
		await eventually(() => statesOf(client).filter((state) => state === 'waiting').length > 1, 'it has waited twice');
		await server.kill();
		await server.serve();
		await ready;
	},
};
