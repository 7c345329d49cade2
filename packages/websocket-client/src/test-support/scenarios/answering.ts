import { strict as assert } from 'node:assert';
import { type Envelope, SocketError } from '../../index.ts';
import { Say, WhoAreYou } from '../messages.ts';
import { eventually, failuresOf, readyClient } from '../play.ts';
import type { Scenario } from '../stage.ts';

export const answering: Record<string, Scenario> = {
	'a handler answers the server, at once or later': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const id = client.socketId ?? '';
		const envelopes: Envelope[] = [];
		const undo = client.handle(WhoAreYou, (name, envelope) => {
			envelopes.push(envelope);
			return `${name}, at once`;
		});
		assert.deepEqual(await stage.ask(id, 'Ada'), { data: 'Ada, at once' });
		assert.equal(envelopes[0]?.name, 'who-are-you');
		undo();
		client.handle(WhoAreYou, async (name) => {
			await new Promise((resolve) => setTimeout(resolve, 5));
			return `${name}, later`;
		});
		assert.deepEqual(await stage.ask(id, 'Ada'), { data: 'Ada, later' });
	},

	'a SocketError refuses with its code; anything else is internal, and reported here only': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const id = client.socketId ?? '';
		const undo = client.handle(WhoAreYou, () => {
			throw new SocketError('not_now', 'ask me later');
		});
		const refused = await stage.ask(id, 'Ada');
		assert.ok('code' in refused && refused.code === 'not_now');
		assert.match(refused.message, /ask me later/);
		assert.deepEqual(failuresOf(client), []);
		undo();

		client.handle(WhoAreYou, () => Promise.reject(new Error('a secret')));
		const failed = await stage.ask(id, 'Ada');
		assert.ok('code' in failed && failed.code === 'internal');
		assert.doesNotMatch(failed.message, /secret/);
		assert.deepEqual(
			failuresOf(client).map(([where, { message }]) => [where, message]),
			[['handler', 'a secret']],
		);
	},

	'what nobody handles is unknown_type, also after the undo': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const id = client.socketId ?? '';
		const before = await stage.ask(id, 'Ada');
		assert.ok('code' in before && before.code === 'unknown_type');
		client.handle(WhoAreYou, (name) => name)();
		const after = await stage.ask(id, 'Ada');
		assert.ok('code' in after && after.code === 'unknown_type');
	},

	'an answer that is no JSON is internal, and reported': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		client.handle(WhoAreYou, () => 1n as never);
		const failed = await stage.ask(client.socketId ?? '', 'Ada');
		assert.ok('code' in failed && failed.code === 'internal');
		assert.equal(failuresOf(client).length, 1);
	},

	'a second handler is refused; an undo takes away its own alone': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const handler = (name: string): string => name;
		const undo = client.handle(WhoAreYou, handler);
		assert.throws(() => client.handle(WhoAreYou, () => ''), /who-are-you already has a handler/);
		undo();
		client.handle(WhoAreYou, handler);
		undo();
		assert.deepEqual(await stage.ask(client.socketId ?? '', 'Ada'), { data: 'Ada' });
	},

	'what has no reply can not be handled': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		assert.throws(() => client.handle(Say as never, (() => '') as never), { name: 'InvalidMessageDefinitionError' });
	},

	'an answer that comes after the connection has ended goes nowhere': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		let answer = (_: string): void => {};
		let isAsked = false;
		const undo = client.handle(WhoAreYou, () => {
			isAsked = true;
			return new Promise<string>((later) => (answer = later));
		});
		const outcome = stage.ask(client.socketId ?? '', 'Ada');
		await eventually(() => isAsked, 'the client is asked');
		await stage.link('cut');
		const refused = await outcome;
		assert.ok('code' in refused && refused.code === 'disconnected');
		await eventually(async () => (await stage.accepted()) === 2 && client.state === 'ready', 'it is back');
		answer('too late');
		undo();
		client.handle(WhoAreYou, () => 'in time');
		assert.deepEqual(await stage.ask(client.socketId ?? '', 'Ada'), { data: 'in time' });
	},
};
