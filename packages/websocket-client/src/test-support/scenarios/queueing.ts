import { strict as assert } from 'node:assert';
import { UnsentMessageError } from '../../index.ts';
import { Say } from '../messages.ts';
import { clientOf, failuresOf, rejection } from '../play.ts';
import type { Scenario } from '../stage.ts';
import { said, untilSaid } from '../watching.ts';

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `text ${i}`);

export const queueing: Record<string, Scenario> = {
	'what is sent before it is ready, or before connect(), waits, in order': async (stage) => {
		await stage.serve();
		const client = clientOf(stage);
		const first = client.send(Say, { text: 'before connect()' });
		const ready = client.connect();
		const second = client.send(Say, { text: 'before ready' });
		await Promise.all([ready, first, second]);
		await client.send(Say, { text: 'when ready' });
		await untilSaid(stage, 3);
		assert.deepEqual(await said(stage), ['before connect()', 'before ready', 'when ready']);
	},

	'more than may wait is refused and reported, and the rest goes out': async (stage) => {
		const client = clientOf(stage, { queue: { messages: 3 } });
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
		await stage.serve();
		await Promise.all(sent.slice(0, 3));
		await untilSaid(stage, 3);
		assert.deepEqual(await said(stage), texts(3));
	},

	'characters are bounded as well': async (stage) => {
		const client = clientOf(stage, { queue: { characters: 100 } });
		void client.connect();
		const small = client.send(Say, { text: 'small' });
		const large = await rejection(client.send(Say, { text: 'x'.repeat(100) }));
		assert.equal(large.code, 'queue_full');
		assert.equal(failuresOf(client).length, 1);
		await stage.serve();
		await small;
	},

	'where nothing may wait, all is refused while there is no connection': async (stage) => {
		const client = clientOf(stage, { queue: { messages: 0 } });
		assert.equal((await rejection(client.send(Say, { text: 'a' }))).code, 'queue_full');
		assert.equal(failuresOf(client).length, 1);
		await stage.serve();
		await client.connect();
		await client.send(Say, { text: 'b' });
		await untilSaid(stage, 1);
	},

	'what waited goes out in order, and not faster than the server takes it': async (stage) => {
		const client = clientOf(stage);
		void client.connect();
		const all = texts(60);
		const sent = Promise.all(all.map((text) => client.send(Say, { text })));
		await stage.serve({ messagesPerSecond: 40 });
		await sent;
		await untilSaid(stage, 60);
		const handled = await stage.handled();
		assert.deepEqual(await said(stage), all);
		// Of 36 a second, the first part at once.
		const took = (handled.at(-1)?.at ?? 0) - (handled[0]?.at ?? 0);
		assert.ok(took > 1_400, `60 messages took ${took} ms`);
		assert.equal(client.state, 'ready');
	},

	'what is sent while others wait comes after them': async (stage) => {
		const client = clientOf(stage);
		const all = texts(30);
		for (const text of all.slice(0, 29)) void client.send(Say, { text });
		await stage.serve({ messagesPerSecond: 80 });
		await client.connect();
		void client.send(Say, { text: 'text 29' });
		await untilSaid(stage, 30);
		assert.deepEqual(await said(stage), all);
	},

	'what still waits when it is closed is refused and reported': async (stage) => {
		const client = clientOf(stage);
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
