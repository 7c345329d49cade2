import { strict as assert } from 'node:assert';
import { ClientClosedError, type GapNotice, InvalidClientOptionError, type SocketClient } from '../../index.ts';
import { assertRefused, eventually, isSettled, rejection, untilState } from '../assertions.ts';
import { Say } from '../messages.ts';
import { failuresOf, newClient, readyClient, statesOf } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

const FAST = { heartbeat: { intervalMs: 50, timeoutMs: 200 } };
/** Fast enough for a test, and slow enough for frames to arrive in time on a busy machine. */
const STEADY = { heartbeat: { intervalMs: 100, timeoutMs: 1_000 } };

async function pings(server: TestServer): Promise<number> {
	return (await server.received()).filter(({ text }) => text.includes('"@ping"')).length;
}

/** Returns a live list of the codes with which the client's connections end. */
function endsOf(client: SocketClient): readonly number[] {
	const codes: number[] = [];
	client.onStateChange((_, { end }) => end !== undefined && codes.push(end.code));
	return codes;
}

/** Has the server send a frame every 20 ms for `durationMs`. */
async function sendSteadily(server: TestServer, durationMs: number): Promise<void> {
	const timer = setInterval(() => void server.sendRaw('still here').catch(() => {}), 20);
	await new Promise((resolve) => setTimeout(resolve, durationMs));
	clearInterval(timer);
}

export const pinging: Record<string, Scenario> = {
	'ping() resolves with the round trip': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const began = performance.now();
		const roundTrip = await client.ping();
		assert.ok(roundTrip > 0 && roundTrip <= performance.now() - began, `it took ${roundTrip} ms`);
	},

	'ping() and connect() at the same time share one ping': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		await Promise.all([client.ping(), client.ping({ timeoutMs: 500 }), client.connect()]);
		assert.equal(await pings(server), 1);
		await client.ping();
		assert.equal(await pings(server), 2);
	},

	'ping() and connect() in loops, and short intervals of the heartbeat, keep to the rate': async (server) => {
		for (const messagesPerSecond of [1, 5, 100]) {
			await server.serve({ messagesPerSecond });
			const client = await readyClient(server, { heartbeat: { intervalMs: 20, timeoutMs: 2_000 } });
			const ends = endsOf(client);
			const until = performance.now() + 3_000;
			let pinged = 0;
			while (performance.now() < until) {
				// The server refuses some at one message a second.
				await client.ping({ timeoutMs: 500 }).catch(() => {});
				await client.connect();
				pinged += 2;
			}
			assert.ok(pinged <= 3 * messagesPerSecond + 5, `${pinged} pings`);
			assert.deepEqual(ends, []);
			const last = client.ping();
			await client.close();
			await Promise.race([last.catch(() => {}), new Promise((_, no) => setTimeout(no, 100, new Error('pending')))]);
			await server.stop();
		}
	},

	'ping() rejects without a connection, and with invalid options': async (server) => {
		const client = newClient(server, { reconnect: { minDelayMs: 60_000_000, maxDelayMs: 60_000_000 } });
		assertRefused(await rejection(client.ping()), 'disconnected');
		const ready = client.connect();
		assertRefused(await rejection(client.ping()), 'disconnected');
		await untilState(client, 'waiting');
		assert.match((await rejection(client.ping())).message, /the client is waiting/);
		await server.serve();
		await Promise.all([ready, client.connect()]);
		for (const timeoutMs of [0, Number.NaN, 2 ** 31, '5' as unknown as number]) {
			const error = await rejection(client.ping({ timeoutMs }));
			assert.ok(error instanceof InvalidClientOptionError);
			assert.match(error.message, /timeoutMs must be a number from 1 to/);
		}
		await client.close();
		assert.match((await rejection(client.ping())).message, /the client is closed/);
	},

	'ping() on a dead connection rejects, and the client reconnects': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const ends = endsOf(client);
		await server.network('freeze connections');
		assertRefused(await rejection(client.ping({ timeoutMs: 200 })), 'disconnected');
		await client.connect();
		assert.deepEqual([ends, statesOf(client).at(-1)], [[4000], 'ready']);
		assert.ok((await client.ping()) > 0);
	},

	'connect() on a dead connection resolves once a new one is ready': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const { socketId } = client;
		await server.network('freeze connections');
		const began = performance.now();
		await client.connect();
		const took = performance.now() - began;
		assert.notEqual(client.socketId, socketId);
		// With the heartbeat alone, it would take at least ten seconds.
		assert.ok(took < 9_000, `it took ${took} ms`);
	},

	'connect() on a living connection changes nothing': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await Promise.all([client.connect(), client.connect()]);
		assert.deepEqual(statesOf(client), ['connecting', 'ready']);
	},

	'connect() rejects if the client is closed before the server has answered': async (server) => {
		await server.serveRaw({ answersPings: false });
		const client = await readyClient(server);
		const connected = client.connect();
		const pinged = client.ping();
		await eventually(async () => (await pings(server)) === 1, 'the ping has arrived');
		assert.equal(await isSettled(connected), false);
		await client.close();
		assert.ok((await rejection(connected)) instanceof ClientClosedError);
		assertRefused(await rejection(pinged), 'disconnected');
	},

	'connect() rejects if the server turns the client away instead of answering': async (server) => {
		await server.serveRaw({ answersPings: false });
		const client = await readyClient(server);
		const connected = client.connect();
		await eventually(async () => (await pings(server)) === 1, 'the ping has arrived');
		await server.closeConnections(4401, 'simulated');
		const error = await rejection(connected);
		assert.ok(error instanceof ClientClosedError);
		assert.equal(error.end?.code, 4401);
	},

	'a connection on which frames arrive lives, even if pings are never answered': async (server) => {
		await server.serveRaw({ answersPings: false });
		const client = await readyClient(server, STEADY);
		const ends = endsOf(client);
		await sendSteadily(server, 3_000);
		assert.deepEqual(ends, []);
		await eventually(() => ends.length > 0, 'the silence is noticed');
		assert.deepEqual(ends, [4000]);
	},

	'a gap begins before the last answer, however long frames have kept the connection alive since': async (server) => {
		await server.serveRaw({ answersPings: false });
		const client = newClient(server, STEADY);
		const gaps: GapNotice[] = [];
		client.onGap((gap) => gaps.push(gap));
		const asked = Date.now();
		await client.connect();
		await client.subscribe('t');
		await sendSteadily(server, 2_000);
		const lost = Date.now();
		await server.closeConnections(1011);
		await eventually(() => gaps.length === 2, 'both gaps are reported');
		assert.deepEqual(gaps.map(({ topic }) => topic).toSorted(), ['*', 't']);
		for (const { since, until } of gaps) assert.ok(since <= asked && until >= lost, `${since} to ${until}`);
	},

	'a connection lives while a ping waits behind a slow upload': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server, { heartbeat: { intervalMs: 60_000 } });
		const ends = endsOf(client);
		await server.network('slow upload');
		// More than the operating system buffers, so that the ping has to wait in the client.
		await client.send(Say, { text: 'x'.repeat(16_000_000) });
		const roundTrip = await client.ping({ timeoutMs: 2_000 });
		assert.ok(roundTrip > 2_000, `it took ${roundTrip} ms`);
		assert.deepEqual(ends, []);
	},

	'what the client sends is no sign of life': async (server) => {
		await server.serve();
		const client = await readyClient(server, FAST);
		failuresOf(client);
		const ends = endsOf(client);
		await server.network('freeze');
		const timer = setInterval(() => void client.send(Say, { text: 'hello?' }, { queue: false }).catch(() => {}), 10);
		const began = performance.now();
		try {
			await eventually(() => ends.length > 0, 'the loss is noticed');
		} finally {
			clearInterval(timer);
		}
		assert.deepEqual(ends, [4000]);
		const took = performance.now() - began;
		assert.ok(took < 2_000, `it took ${took} ms`);
		await client.close();
	},
};
