import { strict as assert } from 'node:assert';
import { ClientClosedError } from '../../index.ts';
import { clientOf, eventually, failuresOf, isSettled, readyClient, rejection, statesOf, untilState } from '../play.ts';
import type { Scenario } from '../stage.ts';

export const connecting: Record<string, Scenario> = {
	'a client is idle, then connecting, ready and closed, in that order': async (stage) => {
		await stage.serve();
		const client = clientOf(stage);
		assert.equal(client.state, 'idle');
		assert.equal(client.socketId, undefined);

		await client.connect();
		assert.equal(client.state, 'ready');
		assert.match(client.socketId ?? '', /^[0-9a-f-]{36}$/);

		await client.close();
		assert.equal(client.socketId, undefined);
		assert.deepEqual(statesOf(client), ['connecting', 'ready', 'closed']);
		await eventually(async () => (await stage.connections()) === 0, 'the connection is gone');
	},

	'each change of state tells the one before, and why': async (stage) => {
		await stage.serveRaw();
		const client = clientOf(stage);
		const changes: unknown[] = [];
		client.onStateChange((state, change) => changes.push([state, change]));
		await client.connect();
		await stage.kick(1012, 'bye; retry-after-ms=1');
		await eventually(() => changes.length === 5, 'it is back');
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

	'connect() twice is one connection': async (stage) => {
		await stage.serve();
		const client = clientOf(stage);
		await Promise.all([client.connect(), client.connect()]);
		await client.connect();
		assert.equal(await stage.accepted(), 1);
	},

	'connect() waits for a server that comes up later': async (stage) => {
		const client = clientOf(stage);
		const ready = client.connect();
		await untilState(client, 'waiting');
		assert.equal(await isSettled(ready), false);
		const again = client.connect();

		await stage.serve();
		await Promise.all([ready, again]);
		assert.equal(client.state, 'ready');
	},

	'connect() after the connection was lost waits for the next one': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await stage.kill();
		await untilState(client, 'waiting');
		const again = client.connect();
		assert.equal(await isSettled(again), false);
		await stage.serve();
		await again;
		assert.equal(client.state, 'ready');
	},

	'connect() after close() begins anew, under another id': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const before = client.socketId;
		await client.close();
		await client.connect();
		assert.equal(client.state, 'ready');
		assert.notEqual(client.socketId, before);
	},

	'close() right before connect() gives one connection, not none': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const closed = client.close();
		await client.connect();
		await closed;
		assert.equal(client.state, 'ready');
		await eventually(async () => (await stage.connections()) === 1, 'the first connection is gone');
	},

	'close() while it connects ends that, and connect() rejects': async (stage) => {
		await stage.serveRaw({ answers: false });
		const client = clientOf(stage);
		const ready = client.connect();
		await eventually(async () => (await stage.heard()).length === 1, 'the guards are asked');
		await client.close();
		const error = await rejection(ready);
		assert.ok(error instanceof ClientClosedError);
		assert.equal(error.end, undefined);
		await eventually(async () => (await stage.connections()) === 0, 'the connection is gone');
	},

	'close() before the connection is open leaves none behind': async (stage) => {
		await stage.serve();
		const client = clientOf(stage);
		const ready = client.connect();
		await client.close();
		assert.ok((await rejection(ready)) instanceof ClientClosedError);
		await eventually(async () => (await stage.connections()) === 0, 'there is no connection');
		assert.deepEqual(statesOf(client), ['connecting', 'closed']);
	},

	'close() while it waits ends the waiting': async (stage) => {
		const client = clientOf(stage);
		const ready = client.connect();
		await untilState(client, 'waiting');
		await client.close();
		assert.ok((await rejection(ready)) instanceof ClientClosedError);
		await stage.serve();
		await new Promise((resolve) => setTimeout(resolve, 250));
		assert.equal(await stage.accepted(), 0);
	},

	'close() twice, or before connect(), is fine': async (stage) => {
		await stage.serve();
		const client = clientOf(stage);
		await client.close();
		assert.equal(client.state, 'closed');
		await client.connect();
		await Promise.all([client.close(), client.close()]);
		await client.close();
		assert.equal(client.state, 'closed');
	},

	'close() over a dead link ends within two seconds and a little': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await stage.link('freeze');
		const began = performance.now();
		await client.close();
		const took = performance.now() - began;
		assert.ok(took < 3_000, `it took ${took} ms`);
	},

	'a listener may close the client when it becomes ready, or waits': async (stage) => {
		await stage.serve();
		for (const when of ['connecting', 'ready'] as const) {
			const client = clientOf(stage);
			client.onStateChange((state) => state === when && client.close());
			await client.connect().catch(() => {});
			assert.equal(client.state, 'closed');
		}
		await stage.kill();
		const client = clientOf(stage);
		client.onStateChange((state) => state === 'waiting' && client.close());
		assert.ok((await rejection(client.connect())) instanceof ClientClosedError);
		assert.equal(client.state, 'closed');
	},

	'a listener may connect again when it is closed, and what it asks for then is done': async (stage) => {
		await stage.serve({ token: 'new' });
		let token = 'old';
		const client = clientOf(stage, { auth: () => token });
		const rejoined: Promise<unknown>[] = [];
		client.onStateChange((state) => {
			if (state !== 'closed' || token === 'new') return;
			token = 'new';
			rejoined.push(client.connect(), client.subscribe('t'));
		});
		await client.connect().catch(() => {});
		await Promise.all(rejoined);
		assert.deepEqual(await stage.joined(), ['t']);
	},

	'a server that never answers @auth is given up in time, and reported': async (stage) => {
		await stage.serveRaw({ answers: false });
		const client = clientOf(stage, { connectTimeoutMs: 100 });
		const ready = client.connect();
		await untilState(client, 'waiting');
		const [[where, error] = []] = failuresOf(client);
		assert.equal(where, 'protocol');
		assert.match(error?.message ?? '', /did not answer @auth within 100 ms/);
		assert.equal(await isSettled(ready), false);
	},

	'an upgrade that is refused is tried again': async (stage) => {
		await stage.serveRaw({ status: 503 });
		const client = clientOf(stage);
		const ready = client.connect();
		await eventually(() => statesOf(client).filter((state) => state === 'waiting').length > 1, 'it waited twice');
		await stage.kill();
		await stage.serve();
		await ready;
	},
};
