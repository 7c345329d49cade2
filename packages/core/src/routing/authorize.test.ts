import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, type Authorize, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

const Topics = SocketMessage.define({ name: 'topics', data: z.unknown(), reply: z.array(z.string()) });

describe('a client may not subscribe by itself', () => {
	it.each<[string, Authorize | undefined]>([
		['by default', undefined],
		['if authorize has no subscribe', {}],
		['if it returns false', { subscribe: () => false }],
		['if it resolves to false', { subscribe: async () => false }],
		['if it returns undefined', { subscribe: () => undefined as never }],
		['if it resolves to a truthy value', { subscribe: async () => 'yes' as never }],
	])('%s', async (_, authorize) => {
		const { app, client, sockets } = await serving(authorize);

		sendTyped(client, '@subscribe', { topic: 'room' }, 'a');
		sendTyped(client, '@subscribe', { topic: 'room' });
		expect((await client.received(2)).map(parse)).toEqual([
			{
				type: '@subscribe',
				correlationId: 'a',
				error: { code: 'forbidden', message: 'Not authorized to subscribe to room' },
			},
			{ type: '@subscribe', error: { code: 'forbidden', message: 'Not authorized to subscribe to room' } },
		]);
		expect([sockets[0]?.data.topics.size, app.refusals.forbidden]).toEqual([0, 2]);
	});

	it.each<[string, (error: Error) => Promise<boolean>]>([
		[
			'throws',
			(error) => {
				throw error;
			},
		],
		['rejects', (error) => Promise.reject(error)],
	])('if it %s; only the log has the cause', async (_, failing) => {
		const error = new Error('postgres://admin:hunter2@db');
		const { client, log, sockets } = await serving({ subscribe: () => failing(error) });

		sendTyped(client, '@subscribe', { topic: 'room' }, 'a');
		expect(parse(await client.next())).toEqual({
			type: '@subscribe',
			correlationId: 'a',
			error: { code: 'internal', message: 'Internal server error' },
		});
		expect(sockets[0]?.data.topics.size).toBe(0);
		expect(log.errors.map(({ details }) => details)).toEqual([
			{ socketId: sockets[0]?.data.socketId, topic: 'room', err: error },
		]);
	});
});

describe('authorize.subscribe', () => {
	it('receives the socket, the topic and the state set by the guards', async () => {
		const asked: unknown[] = [];
		const router = new SocketRouter<{ rooms: string[] }>().guard((ctx) => {
			ctx.state.rooms = ['blue'];
			return true;
		});
		const { client, sockets } = await serving(
			{
				async subscribe(ws, topic, { rooms }: { rooms: string[] }) {
					asked.push([ws === sockets[0], topic]);
					return rooms.includes(topic);
				},
			},
			router,
		);

		for (const topic of ['blue', 'red']) sendTyped(client, '@subscribe', { topic }, topic);
		await client.received(2);
		expect(answersOf(client)).toEqual([
			['blue', ACCEPTED],
			['red', 'forbidden'],
		]);
		expect(asked).toEqual([
			[true, 'blue'],
			[true, 'red'],
		]);
	});

	it('is called as a method of its object', async () => {
		class Rooms implements Authorize {
			readonly #open = ['blue'];
			subscribe(_: AppSocket, topic: string): boolean {
				return this.#open.includes(topic);
			}
		}
		const { client } = await serving(new Rooms());

		for (const topic of ['blue', 'red']) sendTyped(client, '@subscribe', { topic }, topic);
		await client.received(2);
		expect(answersOf(client)).toEqual([
			['blue', ACCEPTED],
			['red', 'forbidden'],
		]);
	});

	it("that is asynchronous still takes effect in order: the client's last request wins", async () => {
		const gate = Promise.withResolvers<boolean>();
		const { client, sockets } = await serving({ subscribe: () => gate.promise });

		sendTyped(client, '@subscribe', { topic: 'room' }, 'a');
		sendTyped(client, 'topics', null, 'b');
		sendTyped(client, '@unsubscribe', { topic: 'room' }, 'c');
		await allReceived(client);
		gate.resolve(true);
		await client.next((message) => parse(message)['correlationId'] === 'a');
		await client.next((message) => parse(message)['correlationId'] === 'c');
		const between = new Map(answersOf(client)).get('b');
		const after = [...(sockets[0]?.data.topics ?? [])];
		expect({ between, after }).toEqual({ between: ['room'], after: [] });
	});

	it('that resolves after its client has disconnected subscribes nothing and logs no error', async () => {
		const gate = Promise.withResolvers<boolean>();
		const { client, log, sockets } = await serving({ subscribe: () => gate.promise });

		sendTyped(client, '@subscribe', { topic: 'room' }, 'a');
		await allReceived(client);
		await client.close();
		gate.resolve(true);
		await new Promise((resolve) => setImmediate(resolve));
		expect([sockets[0]?.data.topics.size, log.errors]).toEqual([0, []]);
	});
});

describe('an endpoint with authorize but no router', () => {
	it('handles the protocol, and passes other text to the message handler', async () => {
		const received: unknown[] = [];
		const app = new Application({ logger: new RecordingLogger() })
			.websocket({ authorize: { subscribe: () => true } })
			.onWebSocket({ message: (_, message) => void received.push(message) });
		const client = await connectSpeaker((await serve(app)).ws);

		sendTyped(client, '@subscribe', { topic: 'room' }, 'a');
		sendTyped(client, 'anything', null, 'b');
		client.send('hello');
		await allReceived(client);
		await client.next((message) => parse(message)['correlationId'] === 'a');
		await app.socket.publish('room', '"news"');
		await client.next((message) => message === '"news"');
		expect(answersOf(client)).toContainEqual(['b', 'unknown_type']);
		expect(received).toEqual(['hello']);
	});

	it('answers the built-ins without authorize too, and passes the rest to the message handler', async () => {
		const app = new Application().websocket().onWebSocket({ message: (ws, message) => void ws.send(message) });
		const client = await connectSpeaker((await serve(app)).ws);

		sendTyped(client, '@ping', null, 'a');
		sendTyped(client, '@subscribe', { topic: 'a' }, 'b');
		client.send('text');
		expect(parse(await client.next())).toEqual({ type: '@ping', data: ACCEPTED, correlationId: 'a' });
		expect(parse(await client.next())).toMatchObject({ correlationId: 'b', error: { code: 'forbidden' } });
		expect(await client.next()).toBe('text');
	});
});

async function serving(authorize: Authorize | undefined, router: SocketRouter<any> = new SocketRouter()) {
	const log = new RecordingLogger();
	const sockets: AppSocket[] = [];
	const app = new Application({ logger: log })
		.websocket(authorize === undefined ? {} : { authorize })
		.socketRouter(router.on(Topics, ({ ws }) => [...ws.data.topics]))
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const { ws } = await serve(app);
	return { app, client: await connectSpeaker(ws), log, sockets };
}
