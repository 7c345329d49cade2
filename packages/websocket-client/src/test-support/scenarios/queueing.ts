import { strict as assert } from 'node:assert';
import { UnsentMessageError } from '../../index.ts';
import { rejection } from '../assertions.ts';
import { handledTexts, untilTextsHandled } from '../handled-messages.ts';
import { Say } from '../messages.ts';
import { failuresOf, newClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `text ${i}`);

export const queueing: Record<string, Scenario> = {
	'messages sent before ready, or before connect(), are queued in order': async (server) => {
		await server.serve();
		const client = newClient(server);
		const first = client.send(Say, { text: 'before connect()' });
		const ready = client.connect();
		const second = client.send(Say, { text: 'before ready' });
		await Promise.all([ready, first, second]);
		await client.send(Say, { text: 'when ready' });
		await untilTextsHandled(server, 3);
		assert.deepEqual(await handledTexts(server), ['before connect()', 'before ready', 'when ready']);
	},

	'messages beyond the bound are refused and reported, and the others are sent': async (server) => {
		const client = newClient(server, { queue: { messages: 3 } });
		void client.connect();
		const sent = texts(5).map((text) => client.send(Say, { text }));
		const outcomes = await Promise.all(sent.slice(3).map(rejection));
		for (const error of outcomes) {
			assert.ok(error instanceof UnsentMessageError);
			assert.equal(error.code, 'queue_full');
			assert.equal(error.messageName, 'say');
		}
		assert.deepEqual(
			failuresOf(client).map(([where, error]) => [where, error]),
			outcomes.map((error) => ['send', error]),
		);
		await server.serve();
		await Promise.all(sent.slice(0, 3));
		await untilTextsHandled(server, 3);
		assert.deepEqual(await handledTexts(server), texts(3));
	},

	'the total size of the queue is bounded as well': async (server) => {
		const client = newClient(server, { queue: { characters: 100 } });
		void client.connect();
		const small = client.send(Say, { text: 'small' });
		const large = await rejection(client.send(Say, { text: 'x'.repeat(100) }));
		assert.equal(large.code, 'queue_full');
		assert.equal(failuresOf(client).length, 1);
		await server.serve();
		await small;
	},

	'with a bound of 0, messages are refused while there is no connection': async (server) => {
		const client = newClient(server, { queue: { messages: 0 } });
		assert.equal((await rejection(client.send(Say, { text: 'a' }))).code, 'queue_full');
		assert.equal(failuresOf(client).length, 1);
		await server.serve();
		await client.connect();
		await client.send(Say, { text: 'b' });
		await untilTextsHandled(server, 1);
	},

	'the queue is sent in order, and no faster than the server allows': async (server) => {
		const client = newClient(server);
		void client.connect();
		const all = texts(60);
		const sent = Promise.all(all.map((text) => client.send(Say, { text })));
		await server.serve({ messagesPerSecond: 40 });
		await sent;
		await untilTextsHandled(server, 60);
		const handled = await server.handled();
		assert.deepEqual(await handledTexts(server), all);
		// 35 are sent at once, the rest at 36 messages per second.
		const took = (handled.at(-1)?.at ?? 0) - (handled[0]?.at ?? 0);
		assert.ok(took > 600, `60 messages took ${took} ms`);
		assert.equal(client.state, 'ready');
	},

	'messages sent while others are queued come after them': async (server) => {
		const client = newClient(server);
		const all = texts(30);
		for (const text of all.slice(0, 29)) void client.send(Say, { text });
		await server.serve({ messagesPerSecond: 80 });
		await client.connect();
		void client.send(Say, { text: 'text 29' });
		await untilTextsHandled(server, 30);
		assert.deepEqual(await handledTexts(server), all);
	},

	'messages still queued at close() are refused and reported': async (server) => {
		const client = newClient(server);
		const sent = [client.send(Say, { text: 'a' }), client.send(Say, { text: 'b' })];
		await client.close();
		sent.push(client.send(Say, { text: 'c' }));
		for (const error of await Promise.all(sent.map(rejection))) {
			assert.ok(error instanceof UnsentMessageError);
			assert.equal(error.code, 'closed');
		}
		assert.equal(failuresOf(client).length, 3);
	},
};
