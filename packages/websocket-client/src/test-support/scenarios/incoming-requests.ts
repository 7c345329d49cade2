import { strict as assert } from 'node:assert';
import { type Envelope, SocketError } from '../../index.ts';
import { eventually } from '../assertions.ts';
import { Say, WhoAreYou } from '../messages.ts';
import { failuresOf, readyClient } from '../run-scenario.ts';
import type { Scenario } from '../test-server.ts';

export const incomingRequests: Record<string, Scenario> = {
	'a handler answers the server synchronously or asynchronously': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const id = client.socketId ?? '';
		const envelopes: Envelope[] = [];
		const undo = client.handle(WhoAreYou, (name, envelope) => {
			envelopes.push(envelope);
			return `${name}, at once`;
		});
		assert.deepEqual(await server.request(id, 'Ada'), { data: 'Ada, at once' });
		assert.equal(envelopes[0]?.name, 'who-are-you');
		undo();
		client.handle(WhoAreYou, async (name) => {
			await new Promise((resolve) => setTimeout(resolve, 5));
			return `${name}, later`;
		});
		assert.deepEqual(await server.request(id, 'Ada'), { data: 'Ada, later' });
	},

	'a SocketError refuses with its code; any other error refuses with internal and is reported only on the client':
		async (server) => {
			await server.serve();
			const client = await readyClient(server);
			const id = client.socketId ?? '';
			const undo = client.handle(WhoAreYou, () => {
				throw new SocketError('not_now', 'ask me later');
			});
			const refused = await server.request(id, 'Ada');
			assert.ok('code' in refused && refused.code === 'not_now');
			assert.match(refused.message, /ask me later/);
			assert.deepEqual(failuresOf(client), []);
			undo();

			client.handle(WhoAreYou, () => Promise.reject(new Error('a secret')));
			const failed = await server.request(id, 'Ada');
			assert.ok('code' in failed && failed.code === 'internal');
			assert.doesNotMatch(failed.message, /secret/);
			assert.deepEqual(
				failuresOf(client).map(([where, { message }]) => [where, message]),
				[['handler', 'a secret']],
			);
		},

	'a refusal is sent without its text if that is too large': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		client.handle(WhoAreYou, () => {
			throw new SocketError('not_now', 'x'.repeat(100_000));
		});
		const refused = await server.request(client.socketId ?? '', 'Ada');
		assert.ok('code' in refused && refused.code === 'not_now');
		assert.equal(client.state, 'ready');
	},

	'a refusal that is too large even without its text is reported': async (server) => {
		await server.serve({ messageBytes: 60 });
		const client = await readyClient(server);
		const failures = failuresOf(client);
		const answer = await server.request(client.socketId ?? '', 'Ada');
		assert.ok('code' in answer && answer.code === 'timeout');
		assert.deepEqual(
			failures.map(([stage, error]) => [stage, (error as SocketError).code]),
			[['handler', 'too_large']],
		);
	},

	'a request without a handler is refused with unknown_type, also after the undo': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const id = client.socketId ?? '';
		const before = await server.request(id, 'Ada');
		assert.ok('code' in before && before.code === 'unknown_type');
		client.handle(WhoAreYou, (name) => name)();
		const after = await server.request(id, 'Ada');
		assert.ok('code' in after && after.code === 'unknown_type');
	},

	"a reply that can't be sent is refused with internal and reported": async (server) => {
		await server.serve();
		const client = await readyClient(server);
		client.handle(WhoAreYou, () => 1n as never);
		const failed = await server.request(client.socketId ?? '', 'Ada');
		assert.ok('code' in failed && failed.code === 'internal');
		assert.equal(failuresOf(client).length, 1);
	},

	'rejects a second handler; an undo removes only its own handler': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const handler = (name: string): string => name;
		const undo = client.handle(WhoAreYou, handler);
		assert.throws(() => client.handle(WhoAreYou, () => ''), {
			name: 'DuplicateHandlerError',
			message: 'who-are-you already has a handler',
		});
		undo();
		client.handle(WhoAreYou, handler);
		undo();
		assert.deepEqual(await server.request(client.socketId ?? '', 'Ada'), { data: 'Ada' });
	},

	'rejects a handler for a message without a reply': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		assert.throws(() => client.handle(Say as never, (() => '') as never), { name: 'InvalidMessageDefinitionError' });
	},

	'a reply after the end of the connection is dropped': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		let answer = (_: string): void => {};
		let hasArrived = false;
		const undo = client.handle(WhoAreYou, () => {
			hasArrived = true;
			return new Promise<string>((later) => (answer = later));
		});
		const outcome = server.request(client.socketId ?? '', 'Ada');
		await eventually(() => hasArrived, 'the client has received the request');
		await server.network('cut');
		const refused = await outcome;
		assert.ok('code' in refused && refused.code === 'disconnected');
		await eventually(
			async () => (await server.accepted()) === 2 && client.state === 'ready',
			'the client has reconnected',
		);
		answer('too late');
		undo();
		client.handle(WhoAreYou, () => 'in time');
		assert.deepEqual(await server.request(client.socketId ?? '', 'Ada'), { data: 'in time' });
	},
};
