import { strict as assert } from 'node:assert';
import { InvalidClientOptionError, UnsentMessageError } from '../../index.ts';
import { assertRefused, eventually, rejection, untilState } from '../assertions.ts';
import { handledData, untilHandled } from '../handled-messages.ts';
import { Add, Checked, Fail, Say, Wait } from '../messages.ts';
import { newClient, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const abandonedRequests: Record<string, Scenario> = {
	'an invalid signal rejects the request, naming what is allowed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		for (const signal of [5, null, 'text', {}]) {
			const error = await rejection(client.request(Add, { a: 1, b: 2 }, { signal: signal as unknown as AbortSignal }));
			assert.ok(error instanceof InvalidClientOptionError);
			assert.match(error.message, /signal must be an AbortSignal/);
		}
	},

	'a request waits for a connection, and its timeout includes the wait': async (server) => {
		const client = newClient(server);
		void client.connect();
		const short = client.request(Add, { a: 1, b: 1 }, { timeoutMs: 50 });
		const long = client.request(Add, { a: 2, b: 2 });
		const error = await rejection(short);
		assertRefused(error, 'timeout');
		assert.match(error.message, /could not be sent within 50 ms/);
		await server.serve();
		assert.equal(await long, 4);
		assert.deepEqual(await handledData(server, 'add'), [{ a: 2, b: 2 }]);
	},

	'a request that is not answered in time rejects, and its late answer is ignored': async (server) => {
		await server.serve();
		const client = await readyClient(server, { requestTimeoutMs: 50 });
		const error = await rejection(client.request(Wait, 1));
		assertRefused(error, 'timeout');
		assert.match(error.message, /did not answer within 50 ms/);
		await server.releaseWaits();
		assert.equal(await client.request(Wait, 2, { timeoutMs: 5_000 }), 2);
	},

	'a signal aborts a request before it is sent, while it is queued, and while it is pending': async (server) => {
		await server.serve();
		const reason = new Error('no longer needed');
		const client = newClient(server);
		assert.equal(await rejection(client.request(Add, { a: 1, b: 1 }, { signal: AbortSignal.abort(reason) })), reason);

		const early = new AbortController();
		const waiting = client.request(Add, { a: 2, b: 2 }, { signal: early.signal });
		early.abort(reason);
		assert.equal(await rejection(waiting), reason);

		await client.connect();
		const late = new AbortController();
		const pending = client.request(Wait, 1, { signal: late.signal });
		await untilHandled(server, 'wait');
		late.abort(reason);
		assert.equal(await rejection(pending), reason);
		await server.releaseWaits();
		assert.equal(await client.request(Wait, 2), 2);
		assert.deepEqual(await handledData(server, 'add'), []);
	},

	'a signal aborts a request during its validation': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const controller = new AbortController();
		const pending = client.request(Checked, 'good', { signal: controller.signal });
		controller.abort(new Error('no longer needed'));
		assert.equal((await rejection(pending)).message, 'no longer needed');
		await client.request(Say, { text: 'marker' });
		assert.deepEqual(await handledData(server, 'checked'), []);
	},

	'an answered request leaves no listener on its signal': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const { signal } = new AbortController();
		let listeners = 0;
		const { addEventListener, removeEventListener } = signal;
		signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
			listeners++;
			addEventListener.apply(signal, args);
		};
		signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
			listeners--;
			removeEventListener.apply(signal, args);
		};
		await client.request(Add, { a: 1, b: 1 }, { signal });
		await rejection(client.request(Fail, {}, { signal }));
		await eventually(() => listeners === 0, 'no listener is left');
	},

	'a request pending on a lost connection rejects with disconnected, and is not sent again': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const pending = client.request(Wait, 1);
		await untilHandled(server, 'wait');
		await server.kill();
		assertRefused(await rejection(pending), 'disconnected');
		await server.releaseWaits();
		await server.serve();
		await client.request(Wait, 2);
		assert.deepEqual(await handledData(server, 'wait'), [1, 2]);
	},

	'close() rejects pending and queued requests': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const pending = client.request(Wait, 1);
		await untilHandled(server, 'wait');
		const closed = client.close();
		assertRefused(await rejection(client.request(Wait, 2)), 'disconnected');
		assertRefused(await rejection(pending), 'disconnected');
		await closed;

		const other = newClient(server);
		const waiting = other.request(Wait, 3);
		await other.close();
		const error = await rejection(waiting);
		assertRefused(error, 'disconnected');
		assert.ok(error.cause instanceof UnsentMessageError);
	},

	'rejects an invalid timeout, naming what is allowed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		for (const timeoutMs of [0, -1, Number.NaN, Infinity, '5' as never]) {
			const error = await rejection(client.request(Add, { a: 1, b: 1 }, { timeoutMs }));
			assert.ok(error instanceof InvalidClientOptionError);
			assert.match(error.message, /timeoutMs must be a number from 1 to 2147483647/);
		}
		assert.deepEqual(await handledData(server, 'add'), []);
	},

	'a request on a dead network rejects with disconnected once that is detected': async (server) => {
		await server.serve();
		const client = await readyClient(server, { heartbeat: { intervalMs: 50, timeoutMs: 150 } });
		await server.network('freeze');
		const pending = client.request(Add, { a: 1, b: 1 });
		assertRefused(await rejection(pending), 'disconnected');
		await server.network('cut');
		await server.network('thaw');
		await untilState(client, 'ready');
	},
};
