import { strict as assert } from 'node:assert';
import { MessageValidationError } from '../../index.ts';
import { assertRefused, eventually, rejection } from '../assertions.ts';
import { handledData, untilHandled } from '../handled-messages.ts';
import { Add, Anything, Checked, Fail, Say, Unhandled, Wait } from '../messages.ts';
import { newClient, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const requesting: Record<string, Scenario> = {
	'a request resolves with its typed answer, or with null for a message without a reply': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const sum: number = await client.request(Add, { a: 1, b: 2 });
		const nothing: null = await client.request(Say, { text: 'hello' });
		assert.deepEqual([sum, nothing], [3, null]);
	},

	'a refusal rejects with its code': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		assertRefused(await rejection(client.request(Fail, { code: 'room_full' })), 'room_full');
		assertRefused(await rejection(client.request(Fail, {})), 'internal');
		assertRefused(await rejection(client.request(Unhandled, null)), 'unknown_type');
	},

	'matches a hundred concurrent answers to their requests': async (server) => {
		await server.serve({ messagesPerSecond: 1_000 });
		const client = await readyClient(server);
		const all = Array.from({ length: 100 }, (_, i) => i);
		const sums = await Promise.all(all.map((i) => client.request(Add, { a: i, b: 1 })));
		assert.deepEqual(
			sums,
			all.map((i) => i + 1),
		);
	},

	'requests beyond the bound of the queue reject with too_many_requests': async (server) => {
		const client = newClient(server, { queue: { messages: 1 } });
		void client.connect();
		const first = client.request(Add, { a: 1, b: 1 });
		assertRefused(await rejection(client.request(Add, { a: 2, b: 2 })), 'too_many_requests');
		await server.serve();
		assert.equal(await first, 2);
	},

	'a request refused by a stopping server is sent again after the reconnect, and handled once': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const busy = client.request(Wait, 1);
		await untilHandled(server, 'wait');
		await server.beginStop();
		const pending = [1, 2, 3].map((a) => client.request(Add, { a, b: 0 }));
		// Gives the server time to refuse the pending requests.
		await rejection(client.request(Unhandled, null, { timeoutMs: 300 }));
		assert.deepEqual(await handledData(server, 'add'), []);
		await server.releaseWaits();
		await busy;
		await server.serve();
		assert.deepEqual(await Promise.all(pending), [1, 2, 3]);
		assert.deepEqual(
			await handledData(server, 'add'),
			[1, 2, 3].map((a) => ({ a, b: 0 })),
		);
	},

	'a request refused by a stopping server times out without another connection': async (server) => {
		await server.serveRaw();
		const client = await readyClient(server);
		const pending = client.request(Add, { a: 1, b: 1 }, { timeoutMs: 200 });
		await eventually(
			async () => (await server.received()).some(({ text }) => text.includes('"add"')),
			'the request has arrived',
		);
		await server.sendRaw('{"type":"add","correlationId":"1","error":{"code":"stopping","message":"bye"}}');
		assertRefused(await rejection(pending), 'timeout');
	},

	'invalid data rejects, and nothing is sent': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		assert.ok((await rejection(client.request(Add, { a: 1 } as never))) instanceof MessageValidationError);
		assert.ok((await rejection(client.request(Checked, 'bad'))) instanceof MessageValidationError);
		assert.equal((await rejection(client.request(Anything, 1n))).code, 'unsupported_value');
		assert.equal(await client.request(Checked, 'good'), 'good');
		assert.equal((await server.handled()).length, 1);
	},
};
