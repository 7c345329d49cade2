import { strict as assert } from 'node:assert';
import { ClientClosedError } from '../../index.ts';
import { eventually, rejection, untilState } from '../assertions.ts';
import { failuresOf, newClient, statesOf } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const credentials: Record<string, Scenario> = {
	'a rejection by a guard closes the client, which can connect with another token': async (server) => {
		await server.serve({ token: 'right' });
		let token = 'wrong';
		const client = newClient(server, { auth: () => token });
		const error = await rejection(client.connect());
		assert.ok(error instanceof ClientClosedError);
		assert.equal(error.end?.code, 4401);
		assert.match(error.message, /4401/);
		assert.equal(client.state, 'closed');
		assert.deepEqual(statesOf(client), ['connecting', 'closed']);

		token = 'right';
		await client.connect();
		assert.deepEqual(await server.credentials(), ['wrong', 'right']);
	},

	'a rejection by a guard after a reconnect closes the client': async (server) => {
		await server.serve({ token: 'first' });
		const client = newClient(server, { auth: async () => 'first' });
		await client.connect();
		await server.kill();
		await server.serve({ token: 'second' });
		await untilState(client, 'closed');
		const error = await rejection(client.subscribe('t'));
		assert.ok(error instanceof ClientClosedError);
		assert.equal(error.end?.code, 4401);
	},

	'auth() is called for each connection': async (server) => {
		await server.serve({ token: 'first' });
		let token = 'first';
		let calls = 0;
		const client = newClient(server, {
			auth: async () => {
				await new Promise((resolve) => setTimeout(resolve, 5));
				calls++;
				return token;
			},
		});
		await client.connect();
		token = 'second';
		await server.kill();
		await server.serve({ token });
		await eventually(async () => (await server.credentials()).length === 2, 'the new token has arrived');
		await untilState(client, 'ready');
		assert.deepEqual(await server.credentials(), ['first', 'second']);
		assert.ok(calls >= 2);
	},

	'an auth() that throws or rejects is reported and called again': async (server) => {
		await server.serve({ token: 'right' });
		const outcomes = [
			() => {
				throw new Error('thrown');
			},
			() => Promise.reject(new Error('rejected')),
			() => 'right',
		];
		const client = newClient(server, { auth: () => outcomes.shift()?.() });
		await client.connect();
		assert.deepEqual(
			failuresOf(client).map(([where, { message }]) => [where, message]),
			[
				['auth', 'thrown'],
				['auth', 'rejected'],
			],
		);
		assert.equal(await server.accepted(), 1);
	},

	'an auth() that hangs times out, and its late result is ignored': async (server) => {
		await server.serve({ token: 'right' });
		const late: ((token: string) => void)[] = [];
		let calls = 0;
		const client = newClient(server, {
			connectTimeoutMs: 100,
			auth: () => (++calls === 1 ? new Promise<string>((resolve) => late.push(resolve)) : 'right'),
		});
		await client.connect();
		for (const resolve of late) resolve('wrong');
		const [[where, error] = []] = failuresOf(client);
		assert.equal(where, 'auth');
		assert.match(error?.message ?? '', /auth\(\) took longer than 100 ms/);
		await eventually(() => client.state === 'ready', 'the client stays ready');
		assert.deepEqual(await server.credentials(), ['right']);
	},

	"a token that can't be written as JSON is reported, and auth() is called again": async (server) => {
		await server.serve({ token: 'right' });
		const tokens: unknown[] = [1n, 'right'];
		const client = newClient(server, { auth: () => tokens.shift() });
		await client.connect();
		assert.equal(failuresOf(client).length, 1);
		assert.equal(failuresOf(client)[0]?.[0], 'auth');
	},

	'a client that is closed while auth() is pending does not connect': async (server) => {
		await server.serve();
		const pending: ((token: string) => void)[] = [];
		const client = newClient(server, { auth: () => new Promise<string>((resolve) => pending.push(resolve)) });
		const ready = client.connect();
		await client.close();
		for (const resolve of pending) resolve('right');
		assert.ok((await rejection(ready)) instanceof ClientClosedError);
		assert.equal(await server.accepted(), 0);
	},

	'retries after guards that take too long': async (server) => {
		await server.serve({ guardTimeoutMs: 50 });
		const client = newClient(server);
		const codes: unknown[] = [];
		client.onStateChange((_, { end }) => codes.push(end?.code));
		void client.connect();
		await eventually(() => codes.filter((code) => code === 4408).length > 1, 'the guards have timed out twice');
		assert.notEqual(client.state, 'closed');
	},
};
