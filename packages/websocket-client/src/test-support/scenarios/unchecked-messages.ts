import { strict as assert } from 'node:assert';
import { isMessage, SocketMessage } from '../../index.ts';
import { assertRefused, eventually, rejection } from '../assertions.ts';
import { handledData } from '../handled-messages.ts';
import { failuresOf, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

// The definitions of a page that loads no schema library.
const Add = SocketMessage.define<{ a: number; b: number }, number>('add');
const Say = SocketMessage.define<{ text: string }>('say');
const Numbered = SocketMessage.define<{ n: number }>('numbered');
const WhoAreYou = SocketMessage.define<string, string>('who-are-you');

export const uncheckedMessages: Record<string, Scenario> = {
	'definitions without a schema send, request and listen': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const received: number[] = [];
		client.on(Numbered, ({ n }) => received.push(n));
		await client.subscribe('t', {
			onMessage(_, envelope) {
				if (isMessage(Numbered, envelope)) received.push(envelope.data.n);
			},
		});
		await client.send(Say, { text: 'hello' });
		const sum: number = await client.request(Add, { a: 1, b: 2 });
		const nothing: null = await client.request(Say, { text: 'again' });
		assert.deepEqual([sum, nothing], [3, null]);
		assert.deepEqual(await handledData(server, 'say'), [{ text: 'hello' }, { text: 'again' }]);
		await server.emit('t', 5);
		await eventually(() => received.length === 2, 'the message has arrived');
		assert.deepEqual(received, [5, 5]);
	},

	'definitions without a schema answer requests of the server': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		client.handle(WhoAreYou, (name) => `I am ${name}`);
		assert.deepEqual(await server.request(client.socketId ?? '', 'Ada'), { data: 'I am Ada' });
	},

	'the server checks the data': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		assertRefused(await rejection(client.request(Add, { a: 'one' } as never)), 'invalid_data');
		await client.send(Say, {} as never);
		await eventually(() => failuresOf(client).length === 1, 'the refusal has arrived');
		assertRefused(failuresOf(client)[0]?.[1] as Error, 'invalid_data');
	},

	"a value that can't be sent is refused as with a schema": async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const error = await rejection(client.request(Add, { a: Number.NaN, b: 1 }));
		assert.equal(error.message, 'add was not sent: data.a is NaN (unsupported_value)');
	},
};
