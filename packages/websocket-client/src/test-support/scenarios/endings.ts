import { strict as assert } from 'node:assert';
import { clientOf, eventually, readyClient, statesOf, untilState } from '../play.ts';
import type { Scenario } from '../stage.ts';

/** As in the table of PROTOCOL.md. */
const COMES_BACK = [1000, 1001, 1009, 1011, 1012, 1013, 4408, 4429];
const GIVES_UP = [1002, 1003, 1007, 4401];

export const endings: Record<string, Scenario> = {
	...Object.fromEntries(
		COMES_BACK.map((code): [string, Scenario] => [
			`it comes back after ${code}`,
			async (stage) => {
				await stage.serveRaw();
				const client = await readyClient(stage);
				const ends: unknown[] = [];
				client.onStateChange((_, { end }) => end !== undefined && ends.push(end));
				await stage.kick(code, 'as a test has it');
				await eventually(() => ends.length > 0, 'it is noticed');
				await untilState(client, 'ready');
				assert.deepEqual(ends, [{ code, reason: 'as a test has it' }]);
			},
		]),
	),

	...Object.fromEntries(
		GIVES_UP.map((code): [string, Scenario] => [
			`it gives up after ${code}`,
			async (stage) => {
				await stage.serveRaw();
				const client = await readyClient(stage);
				const ends: unknown[] = [];
				client.onStateChange((_, { end }) => ends.push(end));
				await stage.kick(code, 'as a test has it');
				await untilState(client, 'closed');
				assert.deepEqual(ends, [{ code, reason: 'as a test has it' }]);
				await new Promise((resolve) => setTimeout(resolve, 200));
				assert.equal(await stage.accepted(), 1);
			},
		]),
	),

	'a hint is honoured: not before it, and not much later': async (stage) => {
		await stage.serveRaw();
		const client = await readyClient(stage);
		await stage.kick(1012, 'server is stopping; retry-after-ms=400');
		await untilState(client, 'waiting');
		const began = performance.now();
		await untilState(client, 'ready');
		const took = performance.now() - began;
		assert.ok(took > 350, `it came back after ${took} ms`);
		assert.ok(took < 2_000, `it came back after ${took} ms`);
	},

	'without a hint it waits longer and longer, never longer than it may': async (stage) => {
		const client = clientOf(stage, { reconnect: { minDelayMs: 10, maxDelayMs: 80 } });
		const waits: number[] = [];
		client.onStateChange((_, { retryInMs }) => retryInMs !== undefined && waits.push(retryInMs));
		void client.connect();
		await eventually(() => waits.length >= 12, 'it tried twelve times');
		for (const [index, wait] of waits.entries()) {
			assert.ok(wait <= Math.min(80, 10 * 2 ** index), `wait ${index} was ${wait} ms`);
		}
		assert.ok(new Set(waits).size > 3, 'they are random');
	},

	'a connection that ends as soon as it is ready counts as a failed try': async (stage) => {
		await stage.serveRaw();
		const client = clientOf(stage, { reconnect: { minDelayMs: 8, maxDelayMs: 64_000 } });
		const waits: number[] = [];
		client.onStateChange((state, { retryInMs }) => {
			if (state === 'ready') void stage.kick(1011);
			if (retryInMs !== undefined) waits.push(retryInMs);
		});
		void client.connect();
		await eventually(() => waits.length >= 6, 'it lost six connections');
		assert.ok(Math.max(...waits) > 8, `the waits grew: ${waits.join()}`);
	},

	'the server stops and is started again': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const codes: unknown[] = [];
		client.onStateChange((_, { end }) => end !== undefined && codes.push(end.code));
		await stage.stop();
		await untilState(client, 'waiting');
		await stage.serve();
		await client.connect();
		assert.equal(codes[0], 1012);
	},

	'the server is killed and started again, five times': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const ids = new Set([client.socketId]);
		for (let i = 0; i < 5; i++) {
			await stage.kill();
			await untilState(client, 'waiting');
			await stage.serve();
			await client.connect();
			ids.add(client.socketId);
		}
		assert.equal(ids.size, 6);
		assert.equal(await stage.connections(), 1);
	},

	'a frozen link is found by the heartbeat': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage, { heartbeat: { intervalMs: 50, timeoutMs: 150 } });
		const ends: unknown[] = [];
		client.onStateChange((_, { end }) => end !== undefined && ends.push(end));
		const began = performance.now();
		await stage.link('freeze');
		await eventually(() => ends.length > 0, 'it is noticed');
		assert.ok(performance.now() - began < 3_000, 'in time');
		assert.deepEqual(ends[0], { code: 4000, reason: 'the server did not answer for 150 ms' });
		await stage.link('cut');
		await stage.link('thaw');
		await client.connect();
	},

	'a link that is slow for less than the timeout is kept': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage, { heartbeat: { intervalMs: 50, timeoutMs: 2_000 } });
		await stage.link('freeze');
		await new Promise((resolve) => setTimeout(resolve, 300));
		await stage.link('thaw');
		await new Promise((resolve) => setTimeout(resolve, 200));
		assert.deepEqual(statesOf(client), ['connecting', 'ready']);
	},

	...Object.fromEntries(
		(['cut', 'end'] as const).map((how): [string, Scenario] => [
			`a link that is lost (${how}) comes back`,
			async (stage) => {
				await stage.serve();
				const client = await readyClient(stage);
				const ends: unknown[] = [];
				client.onStateChange((_, { end }) => end !== undefined && ends.push(end.code));
				await stage.link(how);
				await eventually(() => ends.length > 0, 'it is noticed');
				await client.connect();
				assert.deepEqual(ends, [1006]);
			},
		]),
	),
};
