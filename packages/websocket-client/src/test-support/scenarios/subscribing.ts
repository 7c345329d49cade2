import { strict as assert } from 'node:assert';
import { InvalidTopicError, SocketRequestError } from '../../index.ts';
import { clientOf, eventually, readyClient, rejection } from '../play.ts';
import type { Scenario, Stage } from '../stage.ts';
import { counter } from '../watching.ts';

/** The topics of each message of that type. */
async function listsOf(stage: Stage, type: string): Promise<string[][]> {
	const frames = (await stage.heard()).map(
		({ text }) => JSON.parse(text) as { type: string; data: { topics: string[] } },
	);
	return frames.filter((frame) => frame.type === type).map(({ data }) => data.topics);
}

const topics = (count: number): string[] => Array.from({ length: count }, (_, i) => `topic:${i}`);

export const subscribing: Record<string, Scenario> = {
	'subscribe() resolves when messages from every node arrive': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		for (let n = 0; n < 20; n++) {
			const numbers = counter();
			const { topic } = await client.subscribe(`t:${n}`, numbers);
			await stage.emit(topic, n);
			await eventually(() => numbers.heard.length > 0, 'it has come');
			assert.deepEqual([topic, numbers.heard], [`t:${n}`, [n]]);
		}
	},

	'a topic that is refused rejects with the code, and may be asked for again': async (stage) => {
		await stage.serve({ topicsPerSocket: 1 });
		await stage.forbid(['secret']);
		const client = await readyClient(stage);
		const [error, open] = await Promise.all([rejection(client.subscribe('secret')), client.subscribe('open')]);
		assert.ok(error instanceof SocketRequestError);
		assert.equal(error.code, 'forbidden');
		assert.match(error.message, /secret/);
		assert.equal((await rejection(client.subscribe('one-more'))).code, 'too_many_topics');
		await open.close();
		await client.subscribe('one-more');
		assert.deepEqual(await stage.joined(), ['one-more']);
	},

	'a backend that is not there is unavailable, and works the next time': async (stage) => {
		await stage.serve();
		await stage.breakBackend(true);
		const client = await readyClient(stage);
		assert.equal((await rejection(client.subscribe('t'))).code, 'unavailable');
		await stage.breakBackend(false);
		await client.subscribe('t');
		assert.deepEqual(await stage.joined(), ['t']);
	},

	'two subscriptions of a topic are one for the server, until both are closed': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const [first, second] = [counter(), counter()];
		const [one, two] = await Promise.all([client.subscribe('t', first), client.subscribe('t', second)]);
		await stage.emit('t', 1);
		await eventually(() => second.heard.length === 1, 'both hear it');
		await one.close();
		assert.deepEqual(await stage.joined(), ['t']);
		await stage.emit('t', 2);
		await eventually(() => second.heard.length === 2, 'the second hears it');
		assert.deepEqual([first.heard, second.heard], [[1], [1, 2]]);
		await one.close();
		await two.close();
		assert.deepEqual(await stage.joined(), []);
		await two.close();
	},

	'the same handlers may serve several subscriptions': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const numbers = counter();
		const one = await client.subscribe('t', numbers);
		await client.subscribe('t', numbers);
		await one.close();
		await stage.emit('t', 1);
		await eventually(() => numbers.heard.length > 0, 'it has come');
		assert.deepEqual(numbers.heard, [1]);
	},

	'messages reach the subscription of their topic alone': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const heard: unknown[] = [];
		for (const topic of ['a', 'b']) {
			await client.subscribe(topic, { onMessage: (_, envelope) => heard.push([topic, envelope.topic]) });
		}
		await stage.emit('a', 1);
		await stage.emit('b', 2);
		await eventually(() => heard.length >= 2, 'both have come');
		assert.deepEqual(heard, [
			['a', 'a'],
			['b', 'b'],
		]);
	},

	'250 topics of one tick travel in three messages, and so do they when they are left': async (stage) => {
		await stage.serveRaw();
		const client = await readyClient(stage);
		const all = await Promise.all(topics(250).map((topic) => client.subscribe(topic)));
		const joining = await listsOf(stage, '@subscribe');
		assert.deepEqual(
			joining.map(({ length }) => length),
			[100, 100, 50],
		);
		assert.deepEqual(joining.flat(), topics(250));
		await Promise.all(all.map((subscription) => subscription.close()));
		assert.deepEqual(
			(await listsOf(stage, '@unsubscribe')).map(({ length }) => length),
			[100, 100, 50],
		);
	},

	'one that is asked for before there is a connection waits for it': async (stage) => {
		const client = clientOf(stage);
		const early = client.subscribe('early');
		void client.connect();
		const waiting = client.subscribe('waiting');
		await stage.serve();
		await Promise.all([early, waiting]);
		assert.deepEqual(await stage.joined(), ['early', 'waiting']);
	},

	'a topic that can be none is refused at once': async (stage) => {
		const client = clientOf(stage);
		for (const topic of ['', 'no spaces', '*', '@x', 'a/b', 'n'.repeat(257), 5 as never, undefined as never]) {
			assert.ok((await rejection(client.subscribe(topic))) instanceof InvalidTopicError);
		}
	},
};
