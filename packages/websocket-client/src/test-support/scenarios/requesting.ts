import { strict as assert } from 'node:assert';
import { MessageValidationError } from '../../index.ts';
import { Add, Anything, Checked, Fail, Say, Unheard, Wait } from '../messages.ts';
import { clientOf, eventually, readyClient, rejection } from '../play.ts';
import type { Scenario } from '../stage.ts';
import { handledOnly, isRefused, untilHandled } from '../watching.ts';

export const requesting: Record<string, Scenario> = {
	'a request resolves with its typed answer; null where the message has none': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const sum: number = await client.request(Add, { a: 1, b: 2 });
		const nothing: null = await client.request(Say, { text: 'hello' });
		assert.deepEqual([sum, nothing], [3, null]);
	},

	'a refusal rejects with its code': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		isRefused(await rejection(client.request(Fail, { code: 'room_full' })), 'room_full');
		isRefused(await rejection(client.request(Fail, {})), 'internal');
		isRefused(await rejection(client.request(Unheard, null)), 'unknown_type');
	},

	'answers find their requests, a hundred at once': async (stage) => {
		await stage.serve({ messagesPerSecond: 1_000 });
		const client = await readyClient(stage);
		const all = Array.from({ length: 100 }, (_, i) => i);
		const sums = await Promise.all(all.map((i) => client.request(Add, { a: i, b: 1 })));
		assert.deepEqual(
			sums,
			all.map((i) => i + 1),
		);
	},

	'more than may wait is too_many_requests': async (stage) => {
		const client = clientOf(stage, { queue: { messages: 1 } });
		void client.connect();
		const first = client.request(Add, { a: 1, b: 1 });
		isRefused(await rejection(client.request(Add, { a: 2, b: 2 })), 'too_many_requests');
		await stage.serve();
		assert.equal(await first, 2);
	},

	'one that a stopping server refused is asked again after the reconnect, and handled once': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const busy = client.request(Wait, 1);
		await untilHandled(stage, 'wait');
		await stage.beginStop();
		const asked = [1, 2, 3].map((a) => client.request(Add, { a, b: 0 }));
		// Time for the server to refuse them.
		await rejection(client.request(Unheard, null, { timeoutMs: 300 }));
		assert.deepEqual(await handledOnly(stage, 'add'), []);
		await stage.release();
		await busy;
		await stage.serve();
		assert.deepEqual(await Promise.all(asked), [1, 2, 3]);
		assert.deepEqual(
			await handledOnly(stage, 'add'),
			[1, 2, 3].map((a) => ({ a, b: 0 })),
		);
	},

	'what a stopping server refused times out if no other one comes': async (stage) => {
		await stage.serveRaw();
		const client = await readyClient(stage);
		const asked = client.request(Add, { a: 1, b: 1 }, { timeoutMs: 200 });
		await eventually(async () => (await stage.heard()).some(({ text }) => text.includes('"add"')), 'it is asked');
		await stage.say('{"type":"add","correlationId":"1","error":{"code":"stopping","message":"bye"}}');
		isRefused(await rejection(asked), 'timeout');
	},

	'data that does not fit rejects, and nothing is sent': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		assert.ok((await rejection(client.request(Add, { a: 1 } as never))) instanceof MessageValidationError);
		assert.ok((await rejection(client.request(Checked, 'bad'))) instanceof MessageValidationError);
		assert.equal((await rejection(client.request(Anything, 1n))).code, 'not_json');
		assert.equal(await client.request(Checked, 'good'), 'good');
		assert.equal((await stage.handled()).length, 1);
	},
};
