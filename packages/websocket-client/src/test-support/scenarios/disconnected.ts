import { strict as assert } from 'node:assert';
import type { ClientClosedError, SocketRequestError } from '../../index.ts';
import { eventually, rejection, untilState } from '../assertions.ts';
import { Wait } from '../messages.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

const BANNED = { code: 'banned', message: 'You were banned', reconnect: false };
const MOVED = { code: 'moved', message: 'Please come back', reconnect: true };

const tell = (server: TestServer, data: unknown): Promise<void> =>
	server.sendRaw(JSON.stringify({ type: '@disconnected', data }));

/** The server disconnects clients by its own decision. */
export const disconnected: Record<string, Scenario> = {
	'by a call on another node: a client that is banned is closed': async (server) => {
		await server.serve();
		const clients = [await readyClient(server), await readyClient(server)];
		const ends: unknown[] = [];
		for (const client of clients)
			client.onStateChange((state, { end }) => ends.push([state, end?.code, end?.reason, end?.disconnected]));
		assert.equal(await server.disconnect(BANNED), 2);
		for (const client of clients) await untilState(client, 'closed');
		assert.deepEqual(ends, [
			['closed', 4403, 'banned', BANNED],
			['closed', 4403, 'banned', BANNED],
		]);
		assert.equal(await server.accepted(), 2);
	},

	'by a call on another node: a client that may return is ready again, in its topics': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: unknown[] = [];
		client.onRaw((text) => received.push(text));
		await client.subscribe('t');
		const waits: unknown[] = [];
		client.onStateChange((state, { end, retryInMs }) => {
			if (state === 'waiting') waits.push([end?.code, end?.disconnected, retryInMs]);
		});
		const asked = rejection(client.request(Wait, 1));
		await eventually(async () => (await server.handled()).length === 1, 'the request is being handled');
		assert.equal(await server.disconnect({ code: 'moved', message: 'Please come back' }), 1);
		assert.equal(((await asked) as SocketRequestError).code, 'disconnected');
		await untilState(client, 'ready');
		const [[code, notice, retryInMs] = []] = waits as [number, unknown, number][];
		assert.deepEqual([code, notice, waits.length], [4503, MOVED, 1]);
		assert.ok(Number(retryInMs) <= 500, 'within the spread of a single client');
		await eventually(async () => (await server.subscribedTopics()).includes('t'), 'it has subscribed again');
		await server.publish('t', 'again');
		await eventually(() => received.includes('again'), 'the message has arrived');
	},

	'a client that is banned is closed, and the page is told why': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const changes: unknown[] = [];
		const raw: unknown[] = [];
		client.onStateChange((state, { end }) => changes.push([state, end]));
		client.onRaw((text) => raw.push(text));
		await tell(server, BANNED);
		await server.closeConnections(4403, 'banned');
		await untilState(client, 'closed');
		const end = { code: 4403, reason: 'banned', disconnected: BANNED };
		assert.deepEqual(changes, [['closed', end]]);
		failuresOf(client);
		const error = (await rejection(client.subscribe('t'))) as ClientClosedError;
		assert.deepEqual(error.end, end);
		assert.match(error.message, /4403 banned \(You were banned\)/);
		assert.deepEqual(raw, []);
		assert.equal(await server.accepted(), 1);
	},

	'a client that may return does so at the time that the server asked for': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const changes: unknown[] = [];
		client.onStateChange((state, { end, retryInMs }) => changes.push([state, end, retryInMs]));
		await tell(server, MOVED);
		await server.closeConnections(4503, 'moved; retry-after-ms=300');
		await untilState(client, 'waiting');
		const began = performance.now();
		await untilState(client, 'ready');
		assert.ok(performance.now() - began > 250, 'not earlier');
		const end = { code: 4503, reason: 'moved; retry-after-ms=300', disconnected: MOVED };
		assert.deepEqual(changes, [
			['waiting', end, 300],
			['connecting', undefined, undefined],
			['ready', undefined, undefined],
		]);
	},

	'a ban counts even if the close frame gets lost; a message that comes before it is delivered': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const raw: unknown[] = [];
		client.onRaw((text) => raw.push(text));
		await server.sendRaw('bye');
		await tell(server, BANNED);
		await server.sendRaw('the end');
		await eventually(() => raw.length === 2, 'the frame has arrived');
		await server.network('cut');
		await untilState(client, 'closed');
		assert.deepEqual(raw, ['bye', 'the end']);
		assert.equal(await server.accepted(), 1);
	},

	'the reason is forgotten with the connection; requests that were pending are rejected': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const ends: unknown[] = [];
		client.onStateChange((_, { end }) => end !== undefined && ends.push(end.disconnected));
		await tell(server, MOVED);
		await server.closeConnections(4503, 'moved; retry-after-ms=0');
		await eventually(() => ends.length === 1, 'the loss is noticed');
		await untilState(client, 'ready');
		await server.closeConnections(1011);
		await eventually(() => ends.length === 2, 'the loss is noticed');
		assert.deepEqual(ends, [MOVED, undefined]);
	},

	'a client that was banned may connect again when the page says so': async (server) => {
		await server.serveRaw();
		const client = newClient(server);
		await client.connect();
		await tell(server, BANNED);
		await server.closeConnections(4403, 'banned');
		await untilState(client, 'closed');
		await client.connect();
		assert.equal(await server.accepted(), 2);
	},

	'a code that looks like expired credentials does not make it return': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		await tell(server, { ...BANNED, code: 'token_expired' });
		await server.closeConnections(4403, 'token_expired');
		await untilState(client, 'closed');
		assert.equal(await server.accepted(), 1);
	},

	'a notice that can not be read is left to the application': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		failuresOf(client);
		const raw: unknown[] = [];
		client.onRaw((text) => raw.push(text));
		await tell(server, null);
		await tell(server, { message: 'no code' });
		await eventually(() => raw.length === 2, 'both have arrived');
		assert.equal(client.state, 'ready');
	},
};
