import { strict as assert } from 'node:assert';
import {
	ClientClosedError,
	type Envelope,
	type GapNotice,
	type SocketClient,
	SocketRequestError,
} from '../../index.ts';
import { assertRefused, eventually, rejection } from '../assertions.ts';
import { Numbered, Say } from '../messages.ts';
import { failuresOf, newClient, readyClient } from '../run-scenario.ts';
import type { Scenario, TestServer } from '../test-server.ts';

const LONG = 'long:t';
const FIVE = [1, 2, 3, 4, 5];

/** Takes the numbers of messages until this one, and leaves the loop. */
async function takeUntil(last: number, messages: AsyncIterable<Envelope<{ n: number }>>): Promise<number[]> {
	const taken: number[] = [];
	for await (const { data } of messages) {
		taken.push(data.n);
		if (data.n === last) break;
	}
	return taken;
}

/** Takes messages until the loop ends. */
async function takeAll(messages: AsyncIterable<Envelope<{ n: number }>>, taken: number[] = []): Promise<number[]> {
	for await (const { data } of messages) taken.push(data.n);
	return taken;
}

async function untilUnsubscribed(server: TestServer): Promise<void> {
	await eventually(async () => (await server.subscribedTopics()).length === 0, 'nothing is subscribed');
}

/** Resolves once the client has received everything that was sent to it so far. */
async function allReceived(client: SocketClient): Promise<void> {
	await client.subscribe('marker').then((marker) => marker.close());
}

export const looping: Record<string, Scenario> = {
	'a loop takes the messages of a rewind and then live ones, and closes the subscription when it is left': async (
		server,
	) => {
		await server.serve();
		await server.emitAll(LONG, FIVE);
		const client = await readyClient(server);
		const subscription = client.subscribe(LONG, { message: Numbered, rewind: 3 });
		const taken = takeUntil(7, subscription);
		await subscription;
		await server.emitAll(LONG, [6, 7, 8]);
		assert.deepEqual(await taken, [3, 4, 5, 6, 7]);
		await untilUnsubscribed(server);
		assert.deepEqual(await takeAll(subscription), []);
	},

	'a loop that begins after the confirmation takes what came before': async (server) => {
		await server.serve();
		await server.emitAll(LONG, FIVE);
		const client = await readyClient(server);
		const subscription = await client.subscribe(LONG, { message: Numbered, rewind: 3 });
		await server.emit(LONG, 6);
		await allReceived(client);
		assert.deepEqual(await takeUntil(6, subscription), [3, 4, 5, 6]);
	},

	'with onMessage, a loop takes what comes after it has begun': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const heard: number[] = [];
		const subscription = await client.subscribe('t', { message: Numbered, onMessage: ({ n }) => heard.push(n) });
		await server.emit('t', 1);
		await eventually(() => heard.length === 1, 'the first message arrives');
		const taken = takeUntil(2, subscription);
		await server.emit('t', 2);
		assert.deepEqual([await taken, heard], [[2], [1, 2]]);
	},

	'with a message, only messages of that kind are received, by the loop and by onMessage': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const heard: unknown[] = [];
		const all: string[] = [];
		await client.subscribe(LONG, { onMessage: (_, { name }) => all.push(name) });
		await client.subscribe(LONG, { message: Say, onMessage: ({ text }) => heard.push(text) });
		const subscription = await client.subscribe(LONG, { message: Numbered });
		await server.publish(LONG, 'text');
		await server.emit(LONG, 1);
		assert.deepEqual([await takeUntil(1, subscription), heard, all], [[1], [], ['@text', 'numbered']]);
	},

	'close() ends the loop at once, without the messages that wait': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const subscription = await client.subscribe('t', { message: Numbered });
		const taken: number[] = [];
		await server.emitAll('t', FIVE);
		await allReceived(client);
		for await (const { data } of subscription) {
			taken.push(data.n);
			void subscription.close();
		}
		assert.deepEqual(taken, [1]);
		const idle = await client.subscribe('t', { message: Numbered });
		const ended = takeAll(idle);
		void idle.close();
		assert.deepEqual(await ended, []);
	},

	'a loop throws the refusal, at first and after a reconnect': async (server) => {
		await server.serve();
		await server.forbid(['secret']);
		const client = await readyClient(server);
		assertRefused(await rejection(takeAll(client.subscribe('secret', { message: Numbered }))), 'forbidden');

		const taken: number[] = [];
		const subscription = await client.subscribe('t', { message: Numbered });
		await server.emitAll('t', [1, 2]);
		await allReceived(client);
		await server.forbid(['t']);
		await server.network('cut');
		await eventually(() => failuresOf(client).length === 1, 'the refusal is reported');
		assertRefused(await rejection(takeAll(subscription, taken)), 'forbidden');
		assert.deepEqual(taken, [1, 2]);
	},

	'a loop throws if the subscription is not confirmed in time, and ends if a signal closes it': async (server) => {
		await server.serve();
		const client = newClient(server);
		assertRefused(await rejection(takeAll(client.subscribe('t', { message: Numbered, timeoutMs: 5 }))), 'timeout');
		assert.deepEqual(await takeAll(client.subscribe('t', { message: Numbered, signal: AbortSignal.timeout(5) })), []);
		failuresOf(client);
		assert.equal((await rejection(takeAll(client.subscribe('no spaces') as never))).name, 'InvalidTopicError');
	},

	'a loop goes on after a reconnect, and after close() and connect() of the client': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const subscription = await client.subscribe(LONG, { message: Numbered });
		const taken = takeUntil(4, subscription);
		await server.emit(LONG, 1);
		await server.network('refuse');
		await server.network('cut');
		await server.emit(LONG, 2);
		await server.network('accept');
		await eventually(() => client.state === 'ready', 'the client has reconnected');
		await client.close();
		await server.emit(LONG, 3);
		await client.connect();
		await server.emit(LONG, 4);
		assert.deepEqual(await taken, [1, 2, 3, 4]);
	},

	'close() of the client ends the loop over a subscription that is pending with its error': async (server) => {
		const client = newClient(server);
		const ended = rejection(takeAll(client.subscribe('t', { message: Numbered })));
		await client.close();
		const error = await ended;
		assert.ok(error instanceof ClientClosedError && !(error instanceof SocketRequestError));
	},

	'a loop that falls behind loses the oldest messages, and onGap is called where they were': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const gaps: GapNotice[] = [];
		const allGaps: GapNotice[] = [];
		const seen: (number | 'gap')[] = [];
		const published = new Map<number, number>();
		client.onGap((gap) => allGaps.push(gap));
		client.on(Numbered, ({ n }, { timestamp }) => published.set(n, timestamp));
		const subscription = await client.subscribe('t', {
			message: Numbered,
			buffer: 3,
			onGap(gap) {
				gaps.push(gap);
				seen.push('gap');
			},
		});
		await client.subscribe('t', { onGap: () => assert.fail('the other subscription misses nothing') });
		await server.emit('t', 1);
		await eventually(() => published.size === 1, 'the first message has arrived');
		for await (const { data } of subscription) {
			seen.push(data.n);
			if (data.n === 1) {
				await server.emitAll('t', [2, 3, 4, 5, 6, 7]);
				await eventually(() => published.size === 7, 'all messages have arrived');
				assert.deepEqual(gaps, []);
			}
			if (data.n === 7) break;
		}
		assert.deepEqual(seen, [1, 'gap', 5, 6, 7]);
		assert.deepEqual(gaps, [{ topic: 't', since: published.get(2), until: published.get(4) }]);
		assert.deepEqual(allGaps, gaps);
	},

	'a loop over a subscription that has ended is over at once': async (server) => {
		await server.serve();
		await server.forbid(['secret']);
		const client = await readyClient(server);
		for (const onMessage of [undefined, () => {}]) {
			const options = { message: Numbered, ...(onMessage && { onMessage }) };
			const closed = await client.subscribe('t', options);
			await server.emit('t', 1);
			await allReceived(client);
			await closed.close();
			assert.deepEqual(await takeAll(closed), []);
			const refused = client.subscribe('secret', options);
			await rejection(refused);
			assertRefused(await rejection(takeAll(refused)), 'forbidden');
			assert.deepEqual(await takeAll(refused), []);
		}
	},

	'two loops over one subscription share its messages, and both end': async (server) => {
		await server.serve();
		const client = await readyClient(server);
		const subscription = await client.subscribe('t', { message: Numbered });
		const taken: number[] = [];
		const both = [takeAll(subscription, taken), takeAll(subscription, taken)];
		await server.emitAll('t', FIVE);
		await eventually(() => taken.length === FIVE.length, 'all messages are taken');
		void subscription.close();
		await Promise.all(both);
		assert.deepEqual(new Set(taken), new Set(FIVE));
	},
};
