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
		failuresOf(client);
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
			connectTimeoutMs: 1_000,
			auth: () => (++calls === 1 ? new Promise<string>((resolve) => late.push(resolve)) : 'right'),
		});
		await client.connect();
		for (const resolve of late) resolve('wrong');
		const [[where, error] = []] = failuresOf(client);
		assert.equal(where, 'auth');
		assert.match(error?.message ?? '', /auth\(\) took longer than 1000 ms/);
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

	'a token that has expired is replaced at once, on each ready connection, and its reason is the guard’s code': async (
		server,
	) => {
		await server.serve({ token: 'first' });
		let token = 'first';
		const client = newClient(server, { auth: () => token });
		const changes: unknown[] = [];
		client.onStateChange((state, { end, retryInMs }) => {
			if (state === 'waiting') changes.push([end, retryInMs]);
		});
		await client.connect();
		for (const next of ['second', 'third']) {
			token = next;
			await server.accept(next);
			await server.closeConnections(4401, 'token_expired');
			await eventually(async () => (await server.credentials()).at(-1) === next, 'the new token has arrived');
			await untilState(client, 'ready');
		}
		assert.deepEqual(await server.credentials(), ['first', 'second', 'third']);
		assert.deepEqual(changes[0], [{ code: 4401, reason: 'token_expired' }, 0]);
		assert.equal(changes.length, 2);
	},

	'a client whose new token has expired as well is closed for good, until it connects again': async (server) => {
		await server.serve({ token: 'right' });
		let token = 'expired';
		const client = newClient(server, { auth: () => token });
		for (const refused of [2, 4]) {
			const error = await rejection(client.connect());
			assert.ok(error instanceof ClientClosedError);
			assert.deepEqual(error.end, { code: 4401, reason: 'token_expired' });
			assert.equal(client.state, 'closed');
			assert.equal((await server.credentials()).length, refused);
		}
		token = 'right';
		await client.connect();
	},

	'a token that was expired on the first attempt is replaced once': async (server) => {
		await server.serve({ token: 'right' });
		const tokens = ['expired', 'right'];
		const client = newClient(server, { auth: () => tokens.shift() });
		await client.connect();
		assert.deepEqual(await server.credentials(), ['expired', 'right']);
		assert.deepEqual(statesOf(client), ['connecting', 'waiting', 'connecting', 'ready']);
	},

	'a client that makes no further attempt does not replace its token, and reports the reason of the guard': async (
		server,
	) => {
		await server.serve({ token: 'right' });
		for (const reconnect of [false, { maxAttempts: 1 }] as const) {
			const client = newClient(server, { reconnect, auth: () => 'expired' });
			const error = await rejection(client.connect());
			assert.ok(error instanceof ClientClosedError);
			assert.deepEqual(error.end, { code: 4401, reason: 'token_expired' });
		}
		assert.equal(await server.accepted(), 2);
	},

	'a token that is refused for another reason is not replaced': async (server) => {
		await server.serve({ token: 'right' });
		const client = newClient(server, { auth: () => 'right' });
		await client.connect();
		await server.closeConnections(4401, 'banned');
		await untilState(client, 'closed');
		assert.equal(await server.accepted(), 1);
	},

	'auth() is aborted when it takes too long, and when the client is closed': async (server) => {
		await server.serve();
		const signals: AbortSignal[] = [];
		const client = newClient(server, {
			connectTimeoutMs: 50,
			auth: ({ signal }) => {
				signals.push(signal);
				return new Promise(() => {});
			},
		});
		void client.connect();
		await eventually(() => signals.length === 2, 'auth() was called again');
		await client.close();
		assert.deepEqual(
			signals.map(({ aborted }) => aborted),
			[true, true],
		);
		assert.ok(failuresOf(client).length > 0);
	},

	'an auth() that keeps failing in the same way is reported once': async (server) => {
		await server.serve();
		let calls = 0;
		const client = newClient(server, {
			auth: () => {
				calls++;
				throw new Error('simulated');
			},
		});
		void client.connect();
		await eventually(() => calls > 5, 'auth() was called several times');
		assert.deepEqual(
			failuresOf(client).map(([stage, { message }]) => [stage, message]),
			[['auth', 'simulated']],
		);
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
