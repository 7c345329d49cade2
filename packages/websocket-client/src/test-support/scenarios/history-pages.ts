import { strict as assert } from 'node:assert';
import type { HistoryAnswer } from '../../index.ts';
import { assertRefused, eventually, rejection } from '../assertions.ts';
import { newClient, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

/** A topic whose history keeps 5,000 messages. */
const LONG = 'long:t';

function numbersOf({ messages }: HistoryAnswer): number[] {
	return messages.map(({ data }) => (data as { n: number }).n);
}

export const historyPages: Record<string, Scenario> = {
	'a history can be read in both directions, without a subscription': async (server) => {
		await server.serve();
		await server.emitAll(LONG, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
		const client = await readyClient(server);
		const latest = await client.history(LONG, { limit: 3 });
		assert.deepEqual([numbersOf(latest), latest.hasMore, latest.recovered], [[7, 8, 9], true, true]);
		const older = await client.history(LONG, { before: latest.messages[0]!.position, limit: 10 });
		assert.deepEqual([numbersOf(older), older.hasMore], [[1, 2, 3, 4, 5, 6], false]);
		const newer = await client.history(LONG, { since: older.messages[2]!.position, limit: 5 });
		assert.deepEqual([numbersOf(newer), newer.hasMore], [[4, 5, 6, 7, 8], true]);
		assert.deepEqual(numbersOf(await client.history(LONG, { since: newer })), [9]);
		assert.deepEqual(numbersOf(await client.history(LONG, { upTo: newer, limit: 2 })), [7, 8]);
		assert.equal(latest.messages[0]?.topic, LONG);
		assert.equal(latest.messages[0]?.name, 'numbered');
		assert.deepEqual(await server.subscribedTopics(), []);
		assert.deepEqual(client.positions, {});
	},

	'a page has text and bytes as they were published': async (server) => {
		await server.serve();
		await server.publish(LONG, '{"not":"parsed"} é');
		await server.publishBytes(LONG, [0, 1, 255]);
		await server.publishBytes(LONG, []);
		const { messages } = await (await readyClient(server)).history(LONG);
		assert.deepEqual(
			messages.map(({ name, data }) => [name, data instanceof ArrayBuffer ? [...new Uint8Array(data)] : data]),
			[
				['@text', '{"not":"parsed"} é'],
				['@bytes', [0, 1, 255]],
				['@bytes', []],
			],
		);
		assert.ok(messages.every((message) => !('values' in message)));
	},

	'a page says if the messages at a position are no longer known': async (server) => {
		await server.serve();
		await server.emit(LONG, 1);
		const client = await readyClient(server);
		const lost = await client.history(LONG, { since: { epoch: 'another', offset: 7 } });
		assert.deepEqual([lost.messages, lost.hasMore, lost.recovered], [[], false, false]);
	},

	'a request for a history is refused with the code of the server': async (server) => {
		await server.serve();
		await server.forbid([LONG]);
		const client = await readyClient(server);
		assertRefused(await rejection(client.history(LONG)), 'forbidden');
		assertRefused(await rejection(client.history('plain')), 'invalid_data');
		assertRefused(await rejection(client.history('long:u', { limit: 1_001 })), 'invalid_data');
	},

	'an invalid request for a history is not sent': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		assert.equal((await rejection(client.history('no spaces'))).name, 'InvalidTopicError');
		const unknown = await rejection(client.history(LONG, { after: { epoch: 'e', offset: 1 } } as never));
		assert.match(String(unknown), /InvalidClientOptionError.*one of since, before, upTo.*, not "after"/);
		assert.equal((await rejection(client.history(LONG, { timeoutMs: -1 }))).name, 'InvalidClientOptionError');
		assert.equal((await rejection(client.history(LONG, null as never))).name, 'InvalidClientOptionError');
		const aborted = await rejection(client.history(LONG, { signal: AbortSignal.abort(new Error('left')) }));
		assert.equal(aborted.message, 'left');
	},

	'a request for a history waits for a connection, and is repeated if the connection is lost': async (server) => {
		await server.serve();
		await server.emit(LONG, 1);
		const client = newClient(server, { heartbeat: { intervalMs: 50, timeoutMs: 200 } });
		const early = client.history(LONG);
		await client.connect();
		assert.deepEqual(numbersOf(await early), [1]);
		await server.network('freeze');
		const late = client.history(LONG);
		await server.network('refuse');
		await server.network('cut');
		await server.network('thaw');
		await server.network('accept');
		assert.deepEqual(numbersOf(await late), [1]);
		await client.close();
		assertRefused(await rejection(client.history(LONG)), 'disconnected');
		await eventually(async () => (await server.connections()) === 0, 'the client has closed its connection');
	},
};
