import { strict as assert } from 'node:assert';
import {
	MessageValidationError,
	SocketRequestError,
	UnconfirmedMessagesError,
	UnsentMessageError,
} from '../../index.ts';
import { Anything, Checked, Fail, Say } from '../messages.ts';
import { clientOf, eventually, failuresOf, readyClient, rejection, untilState } from '../play.ts';
import type { Scenario } from '../stage.ts';
import { said, untilSaid } from '../watching.ts';

const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `text ${i}`);

export const sending: Record<string, Scenario> = {
	'messages arrive in the order they were sent in': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const all = texts(50);
		await Promise.all(all.map((text) => client.send(Say, { text })));
		await untilSaid(stage, 50);
		assert.deepEqual(await said(stage), all);
	},

	'what may not have arrived when the link is lost is reported as a number': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage, { heartbeat: { intervalMs: 100, timeoutMs: 300 } });
		await stage.link('freeze');
		for (const text of texts(3)) await client.send(Say, { text });
		await stage.link('cut');
		await stage.link('thaw');
		await eventually(() => failuresOf(client).length > 0, 'it is reported');
		const [[where, error] = []] = failuresOf(client);
		assert.equal(where, 'send');
		assert.ok(error instanceof UnconfirmedMessagesError);
		assert.equal(error.count, 3);
		await client.connect();
		assert.deepEqual(await said(stage), []);
		assert.equal(failuresOf(client).length, 1);
	},

	'what an answer to something later has confirmed is not reported': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await client.send(Say, { text: 'confirmed' });
		await client.request(Anything, 1);
		await client.send(Say, { text: 'perhaps not' });
		await stage.link('cut');
		await eventually(() => failuresOf(client).length > 0, 'it is reported');
		const [[, error] = []] = failuresOf(client);
		assert.ok(error instanceof UnconfirmedMessagesError);
		assert.equal(error.count, 1);
	},

	'what was sent right before close() arrives, and is not reported': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		for (const text of texts(20)) void client.send(Say, { text });
		await client.close();
		await untilSaid(stage, 20);
		assert.deepEqual(await said(stage), texts(20));
	},

	'a refusal of what was no request is reported': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		await client.send(Fail, { code: 'no_room' });
		await eventually(() => failuresOf(client).length > 0, 'it is reported');
		const [[where, error] = []] = failuresOf(client);
		assert.equal(where, 'send');
		assert.ok(error instanceof SocketRequestError);
		assert.deepEqual([error.messageName, error.code], ['fail', 'no_room']);
	},

	'data that does not fit is refused and reported, and nothing is sent': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
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
		await eventually(async () => (await stage.handled()).length > 0, 'the good one is handled');
		assert.deepEqual(
			(await stage.handled()).map(({ data }) => data),
			['good'],
		);
	},

	'data that is no JSON is refused and reported, and nothing is sent': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const circular: Record<string, unknown> = {};
		circular['self'] = circular;
		for (const data of [1n, circular]) {
			const error = await rejection(client.send(Anything, data));
			assert.ok(error instanceof UnsentMessageError);
			assert.equal(error.code, 'not_json');
			assert.ok(error.cause instanceof TypeError);
			assert.deepEqual(failuresOf(client).at(-1), ['send', error]);
		}
		assert.equal(await client.request(Anything, 'fine'), 'fine');
		assert.equal((await stage.handled()).length, 1);
	},

	'what is no definition is refused and reported': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const error = await rejection(client.send({ name: 'x' } as never, null as never));
		assert.equal(error.name, 'InvalidMessageDefinitionError');
		assert.deepEqual(failuresOf(client), [['send', error]]);
		assert.throws(() => client.on({ name: 'x' } as never, () => {}), { name: 'InvalidMessageDefinitionError' });
	},

	'nobody has to await anything: no rejection goes unhandled': async (stage) => {
		const client = clientOf(stage, { queue: { messages: 1 } });
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
