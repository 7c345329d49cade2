import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { MessageValidationError, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
	Application,
	type AppSocket,
	type Limits,
	type MessageContext,
	SocketRouter,
	TooManyTopicsError,
} from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const Do = SocketMessage.define({ name: 'do', data: z.unknown(), reply: z.unknown() });
const News = SocketMessage.define({ name: 'news', data: z.string().transform((text) => text.toUpperCase()) });
const Late = SocketMessage.define({ name: 'late', data: z.string().refine(async (text) => text !== 'bad', 'is bad') });

type Context = MessageContext<typeof Do, { visits: number }>;

describe('ctx', () => {
	it("send: sends the schema's output to this socket only, before the answer", async () => {
		const { client, connect } = await started(async (ctx) => {
			await ctx.send(News, 'news');
			await ctx.send(Late, 'good');
			return 'sent';
		});
		const other = await connect();

		sendTyped(client, 'do', null, 'a');
		expect((await client.received(3)).map(parse)).toEqual([
			{ name: 'news', data: 'NEWS', timestamp: expect.any(Number) as number },
			{ name: 'late', data: 'good', timestamp: expect.any(Number) as number },
			{ type: 'do', correlationId: 'a', data: 'sent' },
		]);
		sendTyped(other, '@ping', null, 'a');
		await other.next();
		expect(other.messages).toHaveLength(1);
	});

	it('send: rejects data that does not match its schema, with path and reason, and sends nothing', async () => {
		const errors: unknown[] = [];
		const { client } = await started(async (ctx) => {
			await ctx.send(News, 7 as never).catch((error: unknown) => errors.push(error));
			await ctx.send(Late, 'bad').catch((error: unknown) => errors.push(error));
		});

		sendTyped(client, 'do', null, 'a');
		expect(parse(await client.next())).toMatchObject({ correlationId: 'a' });
		expect(client.messages).toHaveLength(1);
		expect(errors).toEqual([expect.any(MessageValidationError), expect.any(MessageValidationError)]);
		expect(String(errors[1])).toContain('The data of late does not match its schema: is bad');
	});

	it('socketId and ws: are those of the opened socket', async () => {
		const { client, opened } = await started(({ ws, socketId }) => [ws === opened[0], socketId, ws.data.data]);

		sendTyped(client, 'do', null, 'a');
		expect(parse(await client.next())['data']).toEqual([true, opened[0]?.data.socketId, { tenant: 'acme' }]);
	});

	it('state: is shared by the messages of a socket, not between sockets', async () => {
		const { client, connect } = await started((ctx) => ++ctx.state.visits);
		const other = await connect();

		for (const id of ['a', 'b']) sendTyped(client, 'do', null, id);
		sendTyped(other, 'do', null, 'a');
		await Promise.all([client.received(2), other.received(1)]);
		expect([answersOf(client), answersOf(other)]).toEqual([
			[
				['a', 1],
				['b', 2],
			],
			[['a', 1]],
		]);
	});

	it('state: is shared by the messages of a socket without guards as well', async () => {
		const router = new SocketRouter<{ visits?: number }>().on(Do, (ctx) => {
			ctx.state.visits = (ctx.state.visits ?? 0) + 1;
			return ctx.state.visits;
		});
		const { ws } = await serve(new Application({ logger: new RecordingLogger() }).websocket().socketRouter(router));
		const [client, other] = [
			await connectSpeaker(ws, { withoutNotices: true }),
			await connectSpeaker(ws, { withoutNotices: true }),
		];

		for (const id of ['a', 'b']) sendTyped(client, 'do', null, id);
		sendTyped(other, 'do', null, 'a');
		await Promise.all([client.received(2), other.received(1)]);
		expect([...answersOf(client), ...answersOf(other)]).toEqual([
			['a', 1],
			['b', 2],
			['a', 1],
		]);
	});

	it('log: adds socket, message and request to each line', async () => {
		const { client, log, opened } = await started((ctx) => {
			ctx.log.debug('looking');
			ctx.log.info('found', { what: ctx.data });
			ctx.log.warn('strange', { type: 'my own' });
			ctx.log.error('broken', { err: 'x' });
		});

		sendTyped(client, 'do', 'it', 'a');
		await client.next();
		const about = { socketId: opened[0]?.data.socketId, type: 'do', correlationId: 'a' };
		expect(log.lines.filter(({ details }) => details?.['correlationId'] === 'a')).toEqual([
			{ level: 'debug', message: 'looking', details: about },
			{ level: 'info', message: 'found', details: { ...about, what: 'it' } },
			{ level: 'warn', message: 'strange', details: { ...about, type: 'my own' } },
			{ level: 'error', message: 'broken', details: { ...about, err: 'x' } },
		]);
	});

	it('subscribe: refuses a topic above the limit, but not one already subscribed', async () => {
		const { app, client, opened } = await started(
			(ctx) => {
				const [verb, topic] = String(ctx.data).split(' ');
				return verb === 'unsubscribe' ? ctx.unsubscribe(String(topic)) : ctx.subscribe(String(topic));
			},
			{ topicsPerSocket: 2 },
		);

		for (const what of ['subscribe a', 'subscribe b', 'subscribe c', 'subscribe a', 'unsubscribe a', 'subscribe c'])
			sendTyped(client, 'do', what, what);
		await client.received(6);
		expect(answersOf(client).map(([, answer]) => answer)).toEqual([
			undefined,
			undefined,
			'too_many_topics',
			undefined,
			undefined,
			undefined,
		]);
		expect(parse(client.texts[2] ?? '')['error']).toEqual({
			code: 'too_many_topics',
			message: 'Limit of 2 topics per connection reached',
		});
		expect(app.refusals.topics).toBe(1);

		const error = await opened[0]?.subscribe('d').catch((thrown: unknown) => thrown);
		expect(error).toBeInstanceOf(TooManyTopicsError);
		expect(error).toMatchObject({
			name: 'TooManyTopicsError',
			message:
				'Not subscribed to d: the connection is in 2 topics already, the limit; unsubscribe it from others, or raise ' +
				'limits.topicsPerSocket',
		});
		expect([[...(opened[0]?.data.topics ?? [])], app.refusals.topics]).toEqual([['b', 'c'], 2]);
	});
});

type Handler = (ctx: Context) => unknown;

async function started(handler: Handler, limits: Limits = {}) {
	const log = new RecordingLogger();
	const opened: AppSocket[] = [];
	const router = new SocketRouter<{ visits: number }>()
		.guard((ctx) => {
			ctx.state.visits = 0;
			return true;
		})
		.on(Do, handler);
	const app = new Application({ logger: log })
		.websocket({ limits, upgrade: () => ({ tenant: 'acme' }) })
		.socketRouter(router)
		.onWebSocket({ open: (ws) => void opened.push(ws) });
	const { ws } = await serve(app);
	const connect = () => connectSpeaker(ws, { withoutNotices: true });
	return { app, client: await connect(), connect, log, opened };
}
