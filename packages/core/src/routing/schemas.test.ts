import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { MessageValidationError, SocketMessage } from '@orijs/websocket';
import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type MessageContext, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

type Schema = SocketMessage['data'];
type Order = SocketMessage<Schema, Schema>;

// The same message in each library: prices arrive as text; the note and the reply's currency have defaults.
const libraries: readonly [string, Order][] = [
	[
		'zod',
		SocketMessage.define({
			name: 'order',
			data: z.object({
				items: z.array(z.object({ price: z.string().regex(/^\d+$/).transform(Number) })),
				note: z.string().default('none'),
			}),
			reply: z.object({ total: z.number(), currency: z.string().default('EUR') }),
		}),
	],
	[
		'valibot',
		SocketMessage.define({
			name: 'order',
			data: v.object({
				items: v.array(v.object({ price: v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number)) })),
				note: v.optional(v.string(), 'none'),
			}),
			reply: v.object({ total: v.number(), currency: v.optional(v.string(), 'EUR') }),
		}),
	],
	[
		'arktype',
		SocketMessage.define({
			name: 'order',
			data: type({ items: type({ price: 'string.numeric.parse' }).array(), note: "string = 'none'" }),
			reply: type({ total: 'number', currency: "string = 'EUR'" }),
		}),
	],
];

const good = { items: [{ price: '1' }, { price: '2' }] };
const output = { items: [{ price: 1 }, { price: 2 }], note: 'none' };
const bad = { items: [{ price: '1' }, { price: 'free' }] };
/** Matches the path, followed by the library's own message. */
const fault = /^The data of order does not match its schema: items\.1\.price: \S+/;

describe.each(libraries)('with a %s schema', (_, order) => {
	it("gives the handler the schema's output, and the client the reply schema's output", async () => {
		const { client, handled } = await shop(order, () => ({ total: 3 }));

		sendTyped(client, 'order', good, 'a');
		expect(parse(await client.next())).toEqual({
			type: 'order',
			correlationId: 'a',
			data: { total: 3, currency: 'EUR' },
		});
		expect(handled).toEqual([output]);
	});

	it('refuses data that does not match its schema, naming path and reason; the handler does not run', async () => {
		const { client, handled, log } = await shop(order, () => ({ total: 3 }));

		sendTyped(client, 'order', bad, 'a');
		expect(parse(await client.next())).toEqual({
			type: 'order',
			correlationId: 'a',
			error: { code: 'invalid_data', message: expect.stringMatching(fault) as string },
		});
		sendTyped(client, 'order', undefined, 'b');
		expect(parse(await client.next())).toMatchObject({ correlationId: 'b', error: { code: 'invalid_data' } });
		expect([handled, log.errors]).toEqual([[], []]);
	});

	it('does not send a reply that does not match its schema: the client receives internal, the log names path and reason', async () => {
		const { client, log } = await shop(order, () => ({ total: 'a lot' }));

		sendTyped(client, 'order', good, 'a');
		expect(parse(await client.next())['error']).toEqual({
			code: 'internal',
			message: 'Internal server error',
		});
		expect(log.errors.map(({ details }) => String(details?.['err']))).toEqual([
			expect.stringMatching(/does not match its schema: total: \S+/),
		]);
	});

	it("emits exactly the name, the schema's output, a timestamp and the topic", async () => {
		const { app, client } = await shop(order, async (ctx) => {
			await ctx.emit(order, 'orders', good);
			return { total: 3 };
		});

		const before = Date.now();
		await app.socket.emit(order, 'orders', good);
		sendTyped(client, 'order', good);
		for (const text of await client.received(2)) {
			const envelope = parse(text);
			expect(envelope).toEqual({
				name: 'order',
				data: output,
				timestamp: expect.any(Number) as number,
				topic: 'orders',
			});
			expect(envelope['timestamp']).toBeGreaterThanOrEqual(before);
			expect(envelope['timestamp']).toBeLessThanOrEqual(Date.now());
		}
	});

	it('emit() of data that does not match its schema rejects with path and reason and sends nothing', async () => {
		const errors: unknown[] = [];
		const { app, client } = await shop(order, async (ctx) => {
			await ctx.emit(order, 'orders', bad).catch((error: unknown) => errors.push(error));
			return { total: 3 };
		});

		await app.socket.emit(order, 'orders', bad).catch((error: unknown) => errors.push(error));
		sendTyped(client, 'order', good, 'a');
		expect(parse(await client.next())).toMatchObject({ correlationId: 'a', data: { total: 3 } });
		expect(client.messages).toHaveLength(1);
		expect(errors).toEqual([expect.any(MessageValidationError), expect.any(MessageValidationError)]);
		for (const error of errors as MessageValidationError[]) {
			expect(error.message).toMatch(fault);
			expect(error.issues).toEqual([{ path: 'items.1.price', message: expect.stringMatching(/\S/) as string }]);
		}
	});
});

interface Shop {
	readonly app: Application;
	/** A client that is subscribed to the topic `orders`. */
	readonly client: TestClient;
	/** The data that the handler received. */
	readonly handled: unknown[];
	readonly log: RecordingLogger;
}

async function shop(order: Order, handler: (ctx: MessageContext<Order>) => unknown): Promise<Shop> {
	const log = new RecordingLogger();
	const handled: unknown[] = [];
	const router = new SocketRouter().on(order, (ctx) => {
		handled.push(ctx.data);
		return handler(ctx);
	});
	const app = new Application({ logger: log }).websocket().socketRouter(router);
	app.onWebSocket({ open: (ws) => ws.subscribe('orders') });
	const { ws } = await serve(app);
	return { app, client: await connectSpeaker(ws, { withoutNotices: true }), handled, log };
}
