import { strict as assert } from 'node:assert';
import { eventually, untilState } from '../assertions.ts';
import { newClient, readyClient, statesOf } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

/** The close codes after which the client reconnects, and those after which it does not; see PROTOCOL.md. */
const RECONNECTS = [1000, 1001, 1009, 1011, 1012, 1013, 4408, 4429, 4503];
const STAYS_CLOSED = [1002, 1003, 1007, 4401, 4403];

export const connectionEnds: Record<string, Scenario> = {
	...Object.fromEntries(
		RECONNECTS.map((code): [string, Scenario] => [
			`reconnects after ${code}`,
			async (server) => {
				await server.serveRaw();
				const client = await readyClient(server);
				const ends: unknown[] = [];
				client.onStateChange((_, { end }) => end !== undefined && ends.push(end));
				await server.closeConnections(code, 'simulated');
				await eventually(() => ends.length > 0, 'the loss is noticed');
				await untilState(client, 'ready');
				assert.deepEqual(ends, [{ code, reason: 'simulated' }]);
			},
		]),
	),

	...Object.fromEntries(
		STAYS_CLOSED.map((code): [string, Scenario] => [
			`stops reconnecting after ${code}`,
			async (server) => {
				await server.serveRaw();
				const client = await readyClient(server);
				const ends: unknown[] = [];
				client.onStateChange((_, { end }) => ends.push(end));
				await server.closeConnections(code, 'simulated');
				await untilState(client, 'closed');
				assert.deepEqual(ends, [{ code, reason: 'simulated' }]);
				await new Promise((resolve) => setTimeout(resolve, 200));
				assert.equal(await server.accepted(), 1);
			},
		]),
	),

	'reconnects at the time that the server asked for': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		await server.closeConnections(1012, 'server is stopping; retry-after-ms=400');
		await untilState(client, 'waiting');
		const began = performance.now();
		await untilState(client, 'ready');
		const took = performance.now() - began;
		assert.ok(took > 350, `it reconnected after ${took} ms`);
		assert.ok(took < 2_000, `it reconnected after ${took} ms`);
	},

	'without a hint the delays grow up to their bound': async (server) => {
		const client = newClient(server, { reconnect: { minDelayMs: 10, maxDelayMs: 80 } });
		const waits: number[] = [];
		client.onStateChange((_, { retryInMs }) => retryInMs !== undefined && waits.push(retryInMs));
		void client.connect();
		await eventually(() => waits.length >= 12, 'it has made twelve attempts');
		for (const [index, wait] of waits.entries()) {
			assert.ok(wait <= Math.min(80, 10 * 2 ** index), `wait ${index} was ${wait} ms`);
		}
		assert.ok(new Set(waits).size > 3, 'the delays are random');
	},

	'a connection that ends as soon as it is ready counts as a failed attempt': async (server) => {
		await server.serveRaw();
		const client = newClient(server, { reconnect: { minDelayMs: 8, maxDelayMs: 64_000 } });
		const waits: number[] = [];
		client.onStateChange((state, { retryInMs }) => {
			if (state === 'ready') void server.closeConnections(1011);
			if (retryInMs !== undefined) waits.push(retryInMs);
		});
		void client.connect();
		await eventually(() => waits.length >= 6, 'it has lost six connections');
		assert.ok(Math.max(...waits) > 8, `the waits grew: ${waits.join()}`);
	},

	'reconnects to a server that was stopped and started': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const codes: unknown[] = [];
		client.onStateChange((_, { end }) => end !== undefined && codes.push(end.code));
		await server.stop();
		await untilState(client, 'waiting');
		await server.serve();
		await client.connect();
		assert.equal(codes[0], 1012);
	},

	'reconnects to a server that was killed and started five times': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const ids = new Set([client.socketId]);
		for (let i = 0; i < 5; i++) {
			await server.kill();
			await untilState(client, 'waiting');
			await server.serve();
			await client.connect();
			ids.add(client.socketId);
		}
		assert.equal(ids.size, 6);
		assert.equal(await server.connections(), 1);
	},

	'the heartbeat detects a frozen network': async (server) => {
		await server.serve();
		const client = await readyClient(server, { heartbeat: { intervalMs: 50, timeoutMs: 150 } });
		const ends: unknown[] = [];
		client.onStateChange((_, { end }) => end !== undefined && ends.push(end));
		const began = performance.now();
		await server.network('freeze');
		await eventually(() => ends.length > 0, 'the loss is noticed');
		assert.ok(performance.now() - began < 3_000, 'in time');
		assert.deepEqual(ends[0], { code: 4000, reason: 'the server did not answer for 150 ms' });
		await server.network('cut');
		await server.network('thaw');
		await client.connect();
	},

	'a network that is frozen for less than the timeout does not end the connection': async (server) => {
		await server.serve();
		const client = await readyClient(server, { heartbeat: { intervalMs: 50, timeoutMs: 2_000 } });
		await server.network('freeze');
		await new Promise((resolve) => setTimeout(resolve, 300));
		await server.network('thaw');
		await new Promise((resolve) => setTimeout(resolve, 200));
		assert.deepEqual(statesOf(client), ['connecting', 'ready']);
	},

	...Object.fromEntries(
		(['cut', 'end'] as const).map((how): [string, Scenario] => [
			`reconnects after a lost connection (${how})`,
			async (server) => {
				await server.serve();
				const client = await readyClient(server);
				const ends: unknown[] = [];
				client.onStateChange((_, { end }) => end !== undefined && ends.push(end.code));
				await server.network(how);
				await eventually(() => ends.length > 0, 'the loss is noticed');
				await client.connect();
				assert.deepEqual(ends, [1006]);
			},
		]),
	),
};
