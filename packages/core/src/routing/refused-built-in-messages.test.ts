import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { Application, type AppSocket, type Limits } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

describe.each(['@subscribe', '@unsubscribe'])('%s', (type) => {
	it.each([
		undefined,
		null,
		'room',
		['room'],
		{},
		{ topic: null },
		{ topic: 7 },
		{ topic: ['room'] },
		{ topic: '' },
		{ topic: 'no spaces' },
		{ topic: '*' },
		{ topic: '@x' },
		{ topic: 'a/b' },
		{ topic: 'n'.repeat(257) },
	])('is refused with invalid_data for %j', async (data) => {
		const { client, sockets, asked } = await connected();

		sendTyped(client, type, data, 'a');
		expect(parse(await client.next())).toEqual({
			type,
			correlationId: 'a',
			error: {
				code: 'invalid_data',
				message:
					'data must be { topic } or { topics } with 1 to 100 topics; a topic is 1 to 256 characters from ' +
					'A-Z a-z 0-9 _ : . -; to resume a topic, give { topic, since: { epoch, offset } } or { topic, rewind: 1 to 100,000 }',
			},
		});
		expect([sockets[0]?.data.topics.size, asked]).toEqual([0, []]);
	});

	it('without a correlation id takes effect, and only a refusal is sent', async () => {
		const { client, sockets } = await connected();
		await sockets[0]?.subscribe('left');

		sendTyped(client, '@unsubscribe', { topic: 'left' });
		sendTyped(client, '@subscribe', { topic: 'room' });
		sendTyped(client, type, { topic: '' });
		await until(() => sockets[0]?.data.topics.has('left') === false, { what: 'the topic is unsubscribed' });
		await allReceived(client);
		expect([...(sockets[0]?.data.topics ?? [])]).toEqual(['room']);
		expect(answersOf(client)).toEqual([[undefined, 'invalid_data']]);
	});
});

it.each(['@', '@x', '@gap', '@Subscribe', '@subscribe '])('%j is refused with unknown_type', async (type) => {
	const { client } = await connected();

	sendTyped(client, type, { topic: 't' }, 'a');
	sendTyped(client, type, { topic: 't' });
	expect((await client.received(2)).map(parse)).toEqual([
		{ type, correlationId: 'a', error: { code: 'unknown_type', message: `No handler for ${type}` } },
		{ type, error: { code: 'unknown_type', message: `No handler for ${type}` } },
	]);
});

describe('@subscribe', () => {
	it('is refused for a topic above the limit, but not for one already subscribed', async () => {
		const { app, client } = await connected({ topicsPerSocket: 2 });

		for (const topic of ['a', 'b', 'c', 'b']) sendTyped(client, '@subscribe', { topic }, topic);
		sendTyped(client, '@unsubscribe', { topic: 'a' }, 'a');
		sendTyped(client, '@subscribe', { topic: 'c' }, 'c again');
		await client.received(6);
		expect(new Map(answersOf(client))).toEqual(
			new Map<unknown, unknown>([
				['a', ACCEPTED],
				['b', ACCEPTED],
				['c', 'too_many_topics'],
				['c again', ACCEPTED],
			]),
		);
		expect(app.refusals.topics).toBe(1);
	});

	it('is refused while too many requests of the client are pending', async () => {
		const { app, client, hold } = await connected({ pendingRequests: 2 });
		const release = hold();

		for (const topic of ['a', 'b', 'c']) sendTyped(client, '@subscribe', { topic }, topic);
		expect(parse(await client.next())).toEqual({
			type: '@subscribe',
			correlationId: 'c',
			error: { code: 'too_many_requests', message: 'Limit of 2 pending requests reached' },
		});
		release();
		await client.received(3);
		sendTyped(client, '@subscribe', { topic: 'c' }, 'd');
		await client.received(4);
		expect(answersOf(client).slice(3)).toEqual([['d', ACCEPTED]]);
		expect(app.refusals.requests).toBe(1);
	});
});

/** Starts an application that authorizes every subscription, over a bus whose answers can be held back. */
async function connected(limits: Limits = {}) {
	const logger = new RecordingLogger();
	const bus = new MemoryBackend().createBus();
	const subscribe = bus.subscribe.bind(bus);
	let held: Promise<void> | undefined;
	bus.subscribe = async (topics) => {
		await subscribe(topics);
		await held;
	};
	const sockets: AppSocket[] = [];
	const asked: string[] = [];
	const app = new Application({ logger })
		.websocket(new WsProvider({ bus, logger }), {
			limits,
			authorize: { subscribe: (_, topic) => asked.push(topic) > 0 },
		})
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const { ws } = await serve(app);
	return {
		app,
		/** The opened sockets. */
		sockets,
		/** The topics passed to authorize. */
		asked,
		client: await connectSpeaker(ws),
		/** Holds back the backend's answers. Returns a function that releases them. */
		hold() {
			const gate = Promise.withResolvers<void>();
			held = gate.promise;
			return gate.resolve;
		},
	};
}
