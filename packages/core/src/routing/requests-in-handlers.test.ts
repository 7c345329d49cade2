import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketMessage, SocketRequestError } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type Limits, type MessageContext, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, parse, sendTyped } from '../test-support/typed-client.ts';

const Delete = SocketMessage.define({ name: 'delete', data: z.number(), reply: z.string() });
const Confirm = SocketMessage.define({ name: 'confirm', data: z.number(), reply: z.boolean() });

describe('a handler that sends a request to its own client', () => {
	it('receives the reply while its message is being handled and others are queued', async () => {
		const { client } = await confirming();

		for (const [number, id] of ['a', 'b', 'c'].entries()) sendTyped(client, 'delete', number, id);
		for (const number of [0, 1, 2]) await confirm(client, number, number !== 1);
		await client.received(6);
		expect(answersOf(client)).toEqual([
			['a', 'deleted 0'],
			['b', 'kept 1'],
			['c', 'deleted 2'],
		]);
	});

	it('receives the reply even if the queue is full, and every queued message is answered', async () => {
		const { client } = await confirming({ queuedMessages: 2 });
		const count = 10;

		for (let number = 0; number < count; number++) sendTyped(client, 'delete', number, String(number));
		let confirmed = 0;
		const answers = new Map<unknown, unknown>();
		while (answers.size < count) {
			const { name, correlationId, data, error } = parse(await client.next());
			if (name === 'confirm') {
				confirmed++;
				sendTyped(client, '@reply', true, String(correlationId));
			} else {
				answers.set(correlationId, error === undefined ? data : (error as { code: string }).code);
			}
		}
		const refused = [...answers.values()].filter((answer) => answer === 'too_many_requests').length;
		expect(confirmed + refused).toBe(count);
		// One message was being handled, and two more fit into the queue.
		expect(['0', '1', '2'].map((id) => answers.get(id))).toEqual(['deleted 0', 'deleted 1', 'deleted 2']);
	});

	it('may send several requests at once', async () => {
		const { client } = await confirming({}, async (ctx) => {
			const all = await Promise.all([1, 2, 3].map((number) => ctx.request(Confirm, number)));
			return all.join();
		});

		sendTyped(client, 'delete', 0, 'a');
		for (const number of [3, 1, 2]) await confirm(client, number, number === 2);
		expect(parse(await client.next())['data']).toBe('false,true,false');
	});

	it('receives the error its client replied with, and may continue', async () => {
		const { client, log } = await confirming({}, async (ctx) => {
			try {
				return String(await ctx.request(Confirm, ctx.data));
			} catch (error) {
				return error instanceof SocketRequestError ? error.code : 'another error';
			}
		});

		sendTyped(client, 'delete', 0, 'a');
		const { correlationId } = parse(await client.next());
		client.send(JSON.stringify({ type: '@reply', correlationId, error: { code: 'busy', message: 'Not now' } }));
		expect(parse(await client.next())['data']).toBe('busy');
		expect(log.errors).toEqual([]);
	});

	it("does not wait for another reply if its client's can't be read", async () => {
		const { client, log } = await confirming({}, (ctx) =>
			ctx.request(Confirm, ctx.data).then(String, (error: SocketRequestError) => error.code),
		);

		sendTyped(client, 'delete', 0, 'a');
		const { correlationId } = parse(await client.next());
		client.send(JSON.stringify({ type: '@reply', correlationId, data: true, values: [['date']] }));
		await client.received(3);
		expect(answersOf(client)).toEqual([
			[correlationId, 'invalid_data'],
			['a', 'invalid_reply'],
		]);
		expect(log.errors).toEqual([]);
	});

	it('logs no error when its client leaves without replying', async () => {
		const over = Promise.withResolvers<void>();
		const { client, log } = await confirming({}, async (ctx) => {
			try {
				return String(await ctx.request(Confirm, ctx.data));
			} finally {
				over.resolve();
			}
		});

		sendTyped(client, 'delete', 0, 'a');
		await client.next();
		await client.close();
		await over.promise;
		await new Promise((resolve) => setImmediate(resolve));
		expect(log.errors).toEqual([]);
	});

	it('reaches no other client', async () => {
		const { client, connect } = await confirming();
		const other = await connect();

		sendTyped(client, 'delete', 0, 'a');
		await confirm(client, 0, true);
		await client.received(2);
		await allReceived(other);
		expect(other.messages).toHaveLength(1);
	});
});

/** Waits for the server's request about a number, and replies to it. */
async function confirm(client: TestClient, number: number, answer: boolean): Promise<void> {
	const request = await client.next(
		(message) => parse(message)['name'] === 'confirm' && parse(message)['data'] === number,
	);
	sendTyped(client, '@reply', answer, String(parse(request)['correlationId']));
}

async function confirming(limits: Limits = {}, handler = confirmed) {
	const log = new RecordingLogger();
	const router = new SocketRouter().on(Delete, handler);
	const app = new Application({ logger: log }).websocket({ limits }).socketRouter(router);
	const { ws } = await serve(app);
	const connect = () => connectSpeaker(ws);
	return { client: await connect(), connect, log };
}

async function confirmed(ctx: MessageContext<typeof Delete>): Promise<string> {
	return `${(await ctx.request(Confirm, ctx.data)) ? 'deleted' : 'kept'} ${ctx.data}`;
}
