import { strict as assert } from 'node:assert';
import { ClientClosedError } from '../../index.ts';
import { clientOf, eventually, failuresOf, rejection, statesOf, untilState } from '../play.ts';
import type { Scenario } from '../stage.ts';

export const credentials: Record<string, Scenario> = {
	'a guard that says no ends it with a reason, and a new token works': async (stage) => {
		await stage.serve({ token: 'right' });
		let token = 'wrong';
		const client = clientOf(stage, { auth: () => token });
		const error = await rejection(client.connect());
		assert.ok(error instanceof ClientClosedError);
		assert.equal(error.end?.code, 4401);
		assert.match(error.message, /4401/);
		assert.equal(client.state, 'closed');
		assert.deepEqual(statesOf(client), ['connecting', 'closed']);

		token = 'right';
		await client.connect();
		assert.deepEqual(await stage.shown(), ['wrong', 'right']);
	},

	'a guard that says no later ends what it said yes to before': async (stage) => {
		await stage.serve({ token: 'first' });
		const client = clientOf(stage, { auth: async () => 'first' });
		await client.connect();
		await stage.kill();
		await stage.serve({ token: 'second' });
		await untilState(client, 'closed');
		const error = await rejection(client.subscribe('t'));
		assert.ok(error instanceof ClientClosedError);
		assert.equal(error.end?.code, 4401);
	},

	'auth() is asked anew for each connection': async (stage) => {
		await stage.serve({ token: 'first' });
		let token = 'first';
		let asked = 0;
		const client = clientOf(stage, {
			auth: async () => {
				await new Promise((resolve) => setTimeout(resolve, 5));
				asked++;
				return token;
			},
		});
		await client.connect();
		token = 'second';
		await stage.kill();
		await stage.serve({ token });
		await eventually(async () => (await stage.shown()).length === 2, 'the new token is shown');
		await untilState(client, 'ready');
		assert.deepEqual(await stage.shown(), ['first', 'second']);
		assert.ok(asked >= 2);
	},

	'an auth() that throws or rejects is reported and tried again': async (stage) => {
		await stage.serve({ token: 'right' });
		const outcomes = [
			() => {
				throw new Error('thrown');
			},
			() => Promise.reject(new Error('rejected')),
			() => 'right',
		];
		const client = clientOf(stage, { auth: () => outcomes.shift()?.() });
		await client.connect();
		assert.deepEqual(
			failuresOf(client).map(([where, { message }]) => [where, message]),
			[
				['auth', 'thrown'],
				['auth', 'rejected'],
			],
		);
		assert.equal(await stage.accepted(), 1);
	},

	'an auth() that hangs is given up in time, and what comes of it later is nothing': async (stage) => {
		await stage.serve({ token: 'right' });
		const late: ((token: string) => void)[] = [];
		let asked = 0;
		const client = clientOf(stage, {
			connectTimeoutMs: 100,
			auth: () => (++asked === 1 ? new Promise<string>((resolve) => late.push(resolve)) : 'right'),
		});
		await client.connect();
		for (const resolve of late) resolve('wrong');
		const [[where, error] = []] = failuresOf(client);
		assert.equal(where, 'auth');
		assert.match(error?.message ?? '', /auth\(\) took longer than 100 ms/);
		await eventually(() => client.state === 'ready', 'it stays ready');
		assert.deepEqual(await stage.shown(), ['right']);
	},

	'a token that is no JSON is reported, and asked for again': async (stage) => {
		await stage.serve({ token: 'right' });
		const tokens: unknown[] = [1n, 'right'];
		const client = clientOf(stage, { auth: () => tokens.shift() });
		await client.connect();
		assert.equal(failuresOf(client).length, 1);
		assert.equal(failuresOf(client)[0]?.[0], 'auth');
	},

	'a client that was closed while auth() is asked does not connect': async (stage) => {
		await stage.serve();
		const asked: ((token: string) => void)[] = [];
		const client = clientOf(stage, { auth: () => new Promise<string>((resolve) => asked.push(resolve)) });
		const ready = client.connect();
		await client.close();
		for (const resolve of asked) resolve('right');
		assert.ok((await rejection(ready)) instanceof ClientClosedError);
		assert.equal(await stage.accepted(), 0);
	},

	'guards that take too long are tried again': async (stage) => {
		await stage.serve({ guardTimeoutMs: 50 });
		const client = clientOf(stage);
		const codes: unknown[] = [];
		client.onStateChange((_, { end }) => codes.push(end?.code));
		void client.connect();
		await eventually(() => codes.filter((code) => code === 4408).length > 1, 'it was told so twice');
		assert.notEqual(client.state, 'closed');
	},
};
