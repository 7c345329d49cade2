import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

type Schema = SocketMessage['data'];
type Order = SocketMessage<Schema, Schema>;

it('sends what a handler sent before its reply, in the order of the calls', async () => {
	const slow = z.number().refine(async (n) => {
		await Bun.sleep(n === 1 ? 30 : 1);
		return true;
	});
	const Step = SocketMessage.define({ name: 'step', data: slow });
	const Plain = SocketMessage.define({ name: 'plain', data: z.number() });
	const Walk = SocketMessage.define({ name: 'walk', data: z.null(), reply: z.string() });
	const router = new SocketRouter().on(Walk, (ctx) => {
		void ctx.send(Step, 1);
		void ctx.send(Step, 2);
		void ctx.send(Plain, 3);
		return 'arrived';
	});
	const app = new Application({ logger: new RecordingLogger() }).websocket().socketRouter(router);
	const client = await connectSpeaker((await serve(app)).ws, { withoutNotices: true });

	sendTyped(client, 'walk', null, 'a');
	expect((await client.received(4)).map((message) => parse(message)['data'])).toEqual([1, 2, 3, 'arrived']);
});

describe.each<[string, Order]>([
	[
		'zod',
		SocketMessage.define({
			name: 'order',
			data: z.object({ item: z.string().refine(inStock, 'is sold out') }),
			reply: z.string().transform(later),
		}),
	],
	[
		'valibot',
		SocketMessage.define({
			name: 'order',
			data: v.objectAsync({ item: v.pipeAsync(v.string(), v.checkAsync(inStock, 'is sold out')) }),
			reply: v.pipeAsync(v.string(), v.transformAsync(later)),
		}),
	],
])('with an asynchronous %s schema', (_, order) => {
	it('validates the data before the handler runs, and the reply before it is sent', async () => {
		const { client, handled } = await shop(order, 'thanks');

		sendTyped(client, 'order', { item: 'tea' }, 'a');
		sendTyped(client, 'order', { item: 'milk' }, 'b');
		expect((await client.received(2)).map(parse)).toEqual([
			{ type: 'order', correlationId: 'a', data: 'THANKS' },
			{
				type: 'order',
				correlationId: 'b',
				error: { code: 'invalid_data', message: 'The data of order does not match its schema: item: is sold out' },
			},
		]);
		expect(handled).toEqual([{ item: 'tea' }]);
	});

	it('does not send a reply that fails validation', async () => {
		const { client, log } = await shop(order, 7);

		sendTyped(client, 'order', { item: 'tea' }, 'a');
		expect(parse(await client.next())['error']).toMatchObject({ code: 'internal' });
		expect(log.errors).toHaveLength(1);
	});

	it('emits only data that passes validation', async () => {
		const { app, client } = await shop(order, 'thanks');

		await expect(app.socket.emit(order, 'orders', { item: 'milk' })).rejects.toThrow('item: is sold out');
		await app.socket.emit(order, 'orders', { item: 'tea' });
		expect((await client.received(1)).map(parse)).toEqual([
			{ name: 'order', data: { item: 'tea' }, timestamp: expect.any(Number) as number, topic: 'orders' },
		]);
	});
});

async function inStock(item: string): Promise<boolean> {
	await new Promise((resolve) => setImmediate(resolve));
	return item !== 'milk';
}

async function later(text: string): Promise<string> {
	await new Promise((resolve) => setImmediate(resolve));
	return text.toUpperCase();
}

interface Shop {
	readonly app: Application;
	/** A client that is subscribed to the topic `orders`. */
	readonly client: TestClient;
	/** The data that the handler received. */
	readonly handled: unknown[];
	readonly log: RecordingLogger;
}

async function shop(order: Order, reply: unknown): Promise<Shop> {
	const log = new RecordingLogger();
	const handled: unknown[] = [];
	const router = new SocketRouter().on(order, (ctx) => {
		handled.push(ctx.data);
		return reply;
	});
	const app = new Application({ logger: log }).websocket().socketRouter(router);
	app.onWebSocket({ open: (ws) => ws.subscribe('orders') });
	const { ws } = await serve(app);
	return { app, client: await connectSpeaker(ws, { withoutNotices: true }), handled, log };
}
