import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

const Topics = SocketMessage.define({ name: 'topics', data: z.unknown(), reply: z.array(z.string()) });

describe('@subscribe', () => {
	it('is answered once messages from every node arrive', async () => {
		const backend = new MemoryBackend();
		const [here, there] = [await node(backend), await node(backend)];
		const client = await here.connect();

		for (let i = 0; i < 20; i++) {
			sendTyped(client, '@subscribe', { topic: `topic:${i}` }, 'a');
			expect(parse(await client.next())).toEqual({ type: '@subscribe', correlationId: 'a', data: ACCEPTED });
			await there.app.socket.publish(`topic:${i}`, `"from ${i}"`);
			expect(await client.next()).toBe(`"from ${i}"`);
		}
	});

	it('takes effect in order; waiting for the backend delays its answer, but no other message', async () => {
		const { connect, hold } = await node();
		const client = await connect();
		const release = hold();

		sendTyped(client, 'topics', null, 'a');
		sendTyped(client, '@subscribe', { topic: 't' }, 'b');
		sendTyped(client, 'topics', null, 'c');
		await client.received(2);
		await allReceived(client);
		expect(answersOf(client)).toEqual([
			['a', []],
			['c', ['t']],
		]);
		release();
		await client.next((message) => parse(message)['correlationId'] === 'b');
		expect(answersOf(client).slice(2)).toEqual([['b', ACCEPTED]]);
	});

	it('is answered unavailable when the backend refuses it, and can be retried', async () => {
		const { connect, refuse } = await node();
		const client = await connect();

		refuse(new Error('no more subscriptions'));
		sendTyped(client, '@subscribe', { topic: 't' }, 'a');
		const refused = await client.next((message) => parse(message)['correlationId'] === 'a');
		expect(parse(refused)['error']).toEqual({
			code: 'unavailable',
			message: 'Subscription failed; try again',
		});
		refuse(undefined);
		sendTyped(client, 'topics', null, 'b');
		sendTyped(client, '@subscribe', { topic: 't' }, 'c');
		await client.next((message) => parse(message)['correlationId'] === 'c');
		expect(answersOf(client).slice(1)).toEqual([
			['b', []],
			['c', ACCEPTED],
		]);
	});

	it('twice to one topic delivers each message once', async () => {
		const { app, connect, sockets } = await node();
		const client = await connect();

		for (const id of ['a', 'b']) sendTyped(client, '@subscribe', { topic: 't' }, id);
		await client.received(2);
		await app.socket.publish('t', '"x"');
		await allReceived(client);
		expect(client.texts.filter((text) => text === '"x"')).toHaveLength(1);
		expect([...(sockets[0]?.data.topics ?? [])]).toEqual(['t']);
	});
});

describe('@unsubscribe', () => {
	it('takes effect in order', async () => {
		const { connect } = await node();
		const client = await connect();

		for (const type of ['@subscribe', 'topics', '@unsubscribe', 'topics'])
			sendTyped(client, type, { topic: 't' }, type);
		await client.received(4);
		expect(answersOf(client).filter(([id]) => id === 'topics')).toEqual([
			['topics', ['t']],
			['topics', []],
		]);
	});

	it('is answered once no more messages arrive, also for a topic that was not subscribed', async () => {
		const backend = new MemoryBackend();
		const [here, there] = [await node(backend), await node(backend)];
		const client = await here.connect();

		for (const topic of ['left', 'kept']) sendTyped(client, '@subscribe', { topic }, topic);
		await client.received(2);
		for (const topic of ['left', 'never']) sendTyped(client, '@unsubscribe', { topic }, topic);
		await client.received(4);
		for (const { app } of [here, there]) await app.socket.publish('left', '"not for me"');
		for (const { app } of [here, there]) await app.socket.publish('kept', '"marker"');
		expect((await client.received(6)).slice(4)).toEqual(['"marker"', '"marker"']);
		expect(answersOf(client).slice(2, 4)).toEqual([
			['left', ACCEPTED],
			['never', ACCEPTED],
		]);
	});
});

/**
 * Starts an application that authorizes every subscription, over a bus that can hold back answers or refuse
 * subscriptions.
 */
async function node(backend = new MemoryBackend()) {
	const logger = new RecordingLogger();
	const bus = backend.createBus();
	const subscribe = bus.subscribe.bind(bus);
	let held: Promise<void> | undefined;
	let fault: Error | undefined;
	bus.subscribe = async (topics) => {
		if (fault !== undefined) throw fault;
		await subscribe(topics);
		await held;
	};
	const sockets: AppSocket[] = [];
	const app = new Application({ logger })
		.websocket(new WsProvider({ bus, logger, graceMs: 0 }), { authorize: { subscribe: () => true } })
		.socketRouter(new SocketRouter().on(Topics, ({ ws }) => [...ws.data.topics]))
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const { ws } = await serve(app);
	return {
		app,
		/** The opened sockets. */
		sockets,
		connect: () => connectSpeaker(ws),
		/** Holds back the backend's answers. Returns a function that releases them. */
		hold() {
			const gate = Promise.withResolvers<void>();
			held = gate.promise;
			return gate.resolve;
		},
		/** Makes the backend refuse subscriptions with an error, or accept them again with undefined. */
		refuse(error: Error | undefined) {
			fault = error;
		},
	};
}
