import { strict as assert } from 'node:assert';
import {
	InvalidClientOptionError,
	MessageValidationError,
	SocketRequestError,
	UnconfirmedMessagesError,
	UnsentMessageError,
} from '../../index.ts';
import { eventually, rejection, untilState } from '../assertions.ts';
import { handledTexts, untilTextsHandled } from '../handled-messages.ts';
import { Anything, Checked, Fail, Say } from '../messages.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `text ${i}`);

export const sending: Record<string, Scenario> = {
	'messages arrive in the order in which they were sent': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const all = texts(50);
		await Promise.all(all.map((text) => client.send(Say, { text })));
		await untilTextsHandled(server, 50);
		assert.deepEqual(await handledTexts(server), all);
	},

	'reports how many messages may not have arrived when the connection is lost': async (server) => {
		await server.serve();
		const client = await readyClient(server, { heartbeat: { intervalMs: 100, timeoutMs: 300 } });
		await server.network('freeze');
		for (const text of texts(3)) await client.send(Say, { text });
		await server.network('cut');
		await server.network('thaw');
		await eventually(() => failuresOf(client).length > 0, 'the error is reported');
		const [[where, error] = []] = failuresOf(client);
		assert.equal(where, 'send');
		assert.ok(error instanceof UnconfirmedMessagesError);
		assert.equal(error.count, 3);
		assert.match(error.message, /may not have arrived: up to 3$/);
		await client.connect();
		assert.deepEqual(await handledTexts(server), []);
		assert.equal(failuresOf(client).length, 1);
	},

	'does not report messages that a later answer has confirmed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await client.send(Say, { text: 'confirmed' });
		await client.request(Anything, 1);
		await client.send(Say, { text: 'perhaps not' });
		await server.network('cut');
		await eventually(() => failuresOf(client).length > 0, 'the error is reported');
		const [[, error] = []] = failuresOf(client);
		assert.ok(error instanceof UnconfirmedMessagesError);
		assert.equal(error.count, 1);
		assert.match(error.message, /may not have arrived: up to 1$/);
	},

	'messages sent right before close() arrive, and are not reported': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		for (const text of texts(20)) void client.send(Say, { text });
		await client.close();
		await untilTextsHandled(server, 20);
		assert.deepEqual(await handledTexts(server), texts(20));
	},

	'reports the refusal of a message that was not a request': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		await client.send(Fail, { code: 'no_room' });
		await eventually(() => failuresOf(client).length > 0, 'the error is reported');
		const [[where, error] = []] = failuresOf(client);
		assert.equal(where, 'send');
		assert.ok(error instanceof SocketRequestError);
		assert.deepEqual([error.messageName, error.code], ['fail', 'no_room']);
	},

	'invalid data is refused and reported, and nothing is sent': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const error = await rejection(client.send(Say, { text: 5 as never }));
		assert.ok(error instanceof MessageValidationError);
		assert.equal(error.issues[0]?.path, 'text');
		const late = await rejection(client.send(Checked, 'bad'));
		assert.ok(late instanceof MessageValidationError);
		assert.deepEqual(failuresOf(client), [
			['send', error],
			['send', late],
		]);
		await client.send(Checked, 'good');
		await eventually(async () => (await server.handled()).length > 0, 'the good one is handled');
		assert.deepEqual(
			(await server.handled()).map(({ data }) => data),
			['good'],
		);
	},

	"a value that can't be sent is refused and reported with its path, and nothing is sent": async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const circular: Record<string, unknown> = {};
		circular['self'] = circular;
		for (const [data, reason] of [
			[1n, 'data is of type BigInt'],
			[circular, 'data.self is invalid or circular'],
			[{ items: [{ price: Number.NaN }] }, 'data.items.0.price is NaN'],
		] as const) {
			const error = await rejection(client.send(Anything, data));
			assert.ok(error instanceof UnsentMessageError);
			assert.equal(error.code, 'unsupported_value');
			assert.equal(error.message, `anything was not sent: ${reason} (unsupported_value)`);
			assert.deepEqual(failuresOf(client).at(-1), ['send', error]);
		}
		assert.equal(await client.request(Anything, 'fine'), 'fine');
		assert.equal((await server.handled()).length, 1);
	},

	'unknown options are refused, naming what is allowed': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const error = await rejection(client.send(Say, { text: 'a' }, { que: false } as never));
		assert.ok(error instanceof InvalidClientOptionError);
		assert.match(error.message, /a key of send\(\) must be one of queue, latest, not "que"/);
		assert.deepEqual(failuresOf(client), [['send', error]]);
		const key = await rejection(client.send(Say, { text: 'not sent' }, { latest: 5 as unknown as string }));
		assert.match(String(key), /InvalidClientOptionError.*send\(\)\.latest must be a string, not 5/);
		assert.ok((await rejection(client.send(Say, { text: 'a' }, null as never))) instanceof InvalidClientOptionError);
		const asked = await rejection(client.request(Anything, 1, { timeout: 5 } as never));
		assert.ok(asked instanceof InvalidClientOptionError);
		assert.match(asked.message, /a key of request\(\) must be one of timeoutMs, signal, not "timeout"/);
		assert.equal(await client.request(Anything, 'fine', { timeoutMs: 5_000 }), 'fine');
		assert.equal((await server.handled()).length, 1);
	},

	'an invalid definition is refused and reported': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const error = await rejection(client.send({ name: 'x' } as never, null as never));
		assert.equal(error.name, 'InvalidMessageDefinitionError');
		assert.deepEqual(failuresOf(client), [['send', error]]);
		assert.throws(() => client.on({ name: 'x' } as never, () => {}), { name: 'InvalidMessageDefinitionError' });
	},

	'no promise has to be awaited: no rejection is unhandled': async (server) => {
		const client = newClient(server, { queue: { messages: 1 } });
		failuresOf(client);
		void client.connect();
		for (let i = 0; i < 3; i++) void client.send(Say, { text: 'a' });
		void client.send(Say, {} as never);
		void client.send(Anything, 1n);
		void client.request(Say, {} as never);
		void client.request(Anything, 1, { timeoutMs: 1 });
		void client.request(Anything, 1, { timeoutMs: -1 });
		void client.request(Anything, 1, { signal: AbortSignal.abort() });
		void client.subscribe('t');
		void client.subscribe('no spaces');
		await untilState(client, 'waiting');
		void client.close();
		void client.send(Say, { text: 'a' });
		void client.request(Anything, 1);
		void client.subscribe('t');
		await new Promise((resolve) => setTimeout(resolve, 50));
		assert.equal(client.state, 'closed');
	},
};
