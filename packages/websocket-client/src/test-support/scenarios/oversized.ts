import { strict as assert } from 'node:assert';
import { UnsentMessageError } from '../../index.ts';
import { assertRefused, rejection } from '../assertions.ts';
import { handledTexts, untilTextsHandled } from '../handled-messages.ts';
import { Anything, Say, WhoAreYou } from '../messages.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

const LIMIT = 1_000;
const frame = (text: string): string => JSON.stringify({ type: 'say', data: { text } });
/** A text whose message has exactly this many bytes. */
const filling = (bytes: number, character: string, size: number): string =>
	character.repeat((bytes - frame('').length) / size);

export const oversized: Record<string, Scenario> = {
	'a message that is larger than the server accepts is refused where it is sent': async (server) => {
		await server.serve({ messageBytes: LIMIT });
		const client = await readyClient(server);
		const error = await rejection(client.send(Say, { text: filling(LIMIT + 1, 'x', 1) }));
		assert.ok(error instanceof UnsentMessageError);
		assert.equal(error.code, 'too_large');
		assert.match(error.message, /1001 bytes.* 1000/);
		assert.deepEqual(failuresOf(client), [['send', error]]);

		const urgent = await rejection(client.send(Say, { text: 'x'.repeat(LIMIT) }, { queue: false }));
		assert.equal(urgent.code, 'too_large');
		const largest = filling(LIMIT, 'x', 1);
		await client.send(Say, { text: largest });
		await untilTextsHandled(server, 1);
		assert.deepEqual(await handledTexts(server), [largest]);
		assert.equal(client.state, 'ready');
	},

	'its size is that of its UTF-8': async (server) => {
		await server.serve({ messageBytes: LIMIT });
		const client = await readyClient(server);
		failuresOf(client);
		const all = [
			['é', 2],
			['€', 3],
			['😀', 4],
		] as const;
		for (const [character, size] of all) {
			const bytes = LIMIT - ((LIMIT - frame('').length) % size);
			await client.send(Say, { text: filling(bytes, character, size) });
			const error = await rejection(client.send(Say, { text: filling(bytes, character, size) + character }));
			assert.match(error.message, new RegExp(`it has ${bytes + size} bytes`));
		}
		await untilTextsHandled(server, all.length);
		assert.equal(await server.accepted(), 1);
	},

	'a message that was queued before the limit was known is refused once it is, and the others are sent': async (
		server,
	) => {
		const client = newClient(server);
		failuresOf(client);
		const first = client.send(Say, { text: 'first' });
		const large = rejection(client.send(Say, { text: 'x'.repeat(LIMIT) }));
		const last = client.send(Say, { text: 'last' });
		await server.serve({ messageBytes: LIMIT });
		await client.connect();
		const error = await large;
		assert.equal(error.code, 'too_large');
		assert.deepEqual(failuresOf(client), [['send', error]]);
		await Promise.all([first, last]);
		await untilTextsHandled(server, 2);
		assert.deepEqual(await handledTexts(server), ['first', 'last']);
	},

	'a request that is too large rejects with too_large': async (server) => {
		await server.serve({ messageBytes: LIMIT });
		const client = newClient(server);
		const early = rejection(client.request(Anything, 'x'.repeat(LIMIT)));
		await client.connect();
		assertRefused(await early, 'too_large');
		assertRefused(await rejection(client.request(Anything, 'x'.repeat(LIMIT))), 'too_large');
		assert.equal(await client.request(Anything, 'small'), 'small');
		assert.equal(await server.accepted(), 1);
	},

	'a reply that is too large is replaced by an error': async (server) => {
		await server.serve({ messageBytes: LIMIT });
		const client = await readyClient(server);
		client.handle(WhoAreYou, (name) => (name === 'large' ? 'x'.repeat(LIMIT) : name));
		const refused = await server.request(client.socketId ?? '', 'large');
		assert.ok('code' in refused && refused.code === 'too_large');
		assert.match(refused.message, /1000/);
		assert.deepEqual(await server.request(client.socketId ?? '', 'small'), { data: 'small' });
		assert.equal(await server.accepted(), 1);
	},

	'topics are requested in messages that the server accepts': async (server) => {
		await server.serve({ messageBytes: 400 });
		const client = await readyClient(server);
		const names = Array.from({ length: 30 }, (_, i) => `${'long'.repeat(40)}:${i}`);
		await Promise.all(names.map((name) => client.subscribe(name)));
		assert.equal((await server.subscribedTopics()).length, 30);
		assert.equal(await server.accepted(), 1);
	},

	'a topic whose request is too large is refused with too_large': async (server) => {
		await server.serve({ messageBytes: 200 });
		const client = await readyClient(server);
		assertRefused(await rejection(client.subscribe('x'.repeat(200))), 'too_large');
		await client.subscribe('short');
		assert.equal(await server.accepted(), 1);
	},
};
