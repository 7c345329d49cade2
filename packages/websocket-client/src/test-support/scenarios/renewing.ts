import { strict as assert } from 'node:assert';
import { assertRefused, eventually, isSettled, rejection, untilState } from '../assertions.ts';
import { failuresOf, newClient, readyClient, statesOf } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

async function authFrames(server: TestServer): Promise<unknown[]> {
	const frames = (await server.received()).map(({ text }) => JSON.parse(text) as { type: string; data: unknown });
	return frames.filter(({ type }) => type === '@auth').map(({ data }) => data);
}

export const renewing: Record<string, Scenario> = {
	'renew() sends new credentials on the live connection': async (server) => {
		await server.serve({ token: 'first' });
		let token = 'first';
		const client = newClient(server, { auth: () => token });
		await client.connect();
		const { socketId } = client;
		await server.accept((token = 'second'));
		await client.renew();
		assert.deepEqual(await server.credentials(), ['first', 'second']);
		assert.deepEqual([client.socketId, await server.accepted()], [socketId, 1]);
	},

	'renew() rejects without a connection, and with what auth() throws': async (server) => {
		await server.serve({ token: 'right' });
		let fails = false;
		const auth = (): string => {
			if (fails) throw new Error('no token');
			return 'right';
		};
		const client = newClient(server, { auth });
		assertRefused(await rejection(client.renew()), 'disconnected');
		await client.connect();
		fails = true;
		assert.match(String(await rejection(client.renew())), /no token/);
		fails = false;
		await client.renew();
		await client.close();
		assertRefused(await rejection(client.renew()), 'disconnected');
	},

	'renew() with credentials that are rejected closes the client': async (server) => {
		await server.serve({ token: 'right' });
		let token = 'right';
		const client = newClient(server, { auth: () => token });
		await client.connect();
		token = 'wrong';
		assertRefused(await rejection(client.renew()), 'disconnected');
		await untilState(client, 'closed');
	},

	'credentials that expire are renewed before that, again and again': async (server) => {
		await server.serve({ token: 'right', expiresInMs: 400 });
		const client = await readyClient(server, { auth: () => 'right' });
		await eventually(async () => (await server.credentials()).length === 4, 'they were renewed three times');
		assert.deepEqual([statesOf(client), await server.accepted()], [['connecting', 'ready'], 1]);
	},

	'renewals are made one at a time, so that the newest credentials arrive last': async (server) => {
		await server.serveRaw();
		const waiting: ((token: string) => void)[] = [];
		let isConnected = false;
		const auth = (): unknown => (isConnected ? new Promise((resolve) => waiting.push(resolve)) : 'first');
		const client = await readyClient(server, { auth });
		isConnected = true;
		const [second, third] = [client.renew(), client.renew()];
		await eventually(() => waiting.length === 1, 'auth() is called');
		assert.equal(await isSettled(third), false);
		waiting[0]?.('second');
		await second;
		await eventually(() => waiting.length === 2, 'auth() is called again');
		waiting[1]?.('third');
		await third;
		assert.deepEqual(await authFrames(server), ['first', 'second', 'third']);
	},

	'a renewal that fails is tried again, and reported once': async (server) => {
		await server.serveRaw({ limits: { expiresInMs: 200 } });
		let calls = 0;
		const auth = (): number => {
			if (++calls > 1 && calls < 5) throw new Error(`away ${calls}`);
			return calls;
		};
		const client = await readyClient(server, { auth });
		const failures = failuresOf(client);
		await eventually(async () => (await authFrames(server)).length > 1, 'the credentials are renewed');
		assert.deepEqual(
			failures.map(([stage, { message }]) => [stage, message]),
			[['auth', 'away 2']],
		);
		assert.deepEqual((await authFrames(server)).slice(0, 2), [1, 5]);
		assert.equal(client.state, 'ready');
	},

	'a renewal that fails is tried again in time, even if the backoff is longer': async (server) => {
		await server.serve({ token: 'right', expiresInMs: 4_000 });
		let calls = 0;
		const auth = (): string => {
			if (++calls === 2) throw new Error('away');
			return 'right';
		};
		const client = await readyClient(server, {
			auth,
			reconnect: { minDelayMs: 1_000_000_000, maxDelayMs: 1_000_000_000 },
		});
		const failures = failuresOf(client);
		await eventually(async () => (await server.credentials()).length === 2, 'they were renewed');
		assert.deepEqual(
			failures.map(([stage, { message }]) => [stage, message]),
			[['auth', 'away']],
		);
		assert.deepEqual([statesOf(client), await server.accepted()], [['connecting', 'ready'], 1]);
	},

	'a time until expiry that is longer than a timer can be does not overflow': async (server) => {
		await server.serveRaw({ limits: { expiresInMs: 1e12 } });
		const client = await readyClient(server, { auth: () => 'right' });
		await client.ping();
		assert.deepEqual(await authFrames(server), ['right']);
	},

	'renewals end with the connection': async (server) => {
		await server.serveRaw({ limits: { expiresInMs: 100 } });
		let calls = 0;
		const client = await readyClient(server, { auth: () => ++calls });
		await eventually(() => calls > 2, 'the credentials are renewed');
		await client.close();
		const before = calls;
		// A timer that was set later fires later.
		assertRefused(await rejection(newClient(server).subscribe('t', { timeoutMs: 200 })), 'timeout');
		assert.equal(calls, before);
	},
};
