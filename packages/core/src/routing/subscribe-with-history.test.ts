import { connectClient, type TestClient } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { type Address, serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

const HISTORY = { 'chat:*': { size: 10, ttlMs: 600_000 }, 'secret:*': { size: 10, ttlMs: 600_000 } };
const Said = SocketMessage.define({ name: 'said', data: z.string() });
const Ask = SocketMessage.define({ name: 'ask', data: z.string(), reply: z.array(z.unknown()) });

interface Position {
	readonly epoch: string;
	readonly offset: number;
}

interface Serving {
	readonly app: Application;
	readonly at: Address;
	/** Says them in the topic, one after the other. */
	tell(topic: string, ...texts: string[]): Promise<void>;
	positionOf(topic: string): Promise<Position>;
}

async function serving(): Promise<Serving> {
	const logger = new RecordingLogger();
	const provider = new InProcWsProvider({ logger, history: HISTORY });
	const app = new Application({ logger, signals: false })
		.websocket(provider, {
			authorize: { subscribe: (_: AppSocket, topic: string) => !topic.startsWith('secret:') },
			limits: { topicsPerSocket: 3 },
		})
		.socketRouter(
			new SocketRouter().on(Ask, async (ctx) => {
				await ctx.emit(Said, 'chat:asked', ctx.data, { idempotencyKey: ctx.data });
				await ctx.emit(Said, 'chat:asked', ctx.data, { idempotencyKey: ctx.data });
				return (await provider.history('chat:asked')).messages.map(({ data }) => data);
			}),
		)
		.routes({
			'/history/:topic': async (request: Bun.BunRequest<'/history/:topic'>): Promise<Response> => {
				const { messages, ...position } = await app.socket.history(request.params.topic, { limit: 2 });
				return Response.json({ texts: messages.map(({ data }) => data), position });
			},
		});
	const at = await serve(app);
	return {
		app,
		at,
		async tell(topic, ...texts) {
			for (const text of texts) await app.socket.emit(Said, topic, text);
		},
		async positionOf(topic) {
			const { epoch, offset } = await app.socket.history(topic);
			return { epoch, offset };
		},
	};
}

/** What of topics came, in order: the text of a message, or what a position says. */
function heard(client: TestClient): unknown[] {
	return client.texts.map(parse).flatMap(({ name, type, data }) => {
		if (name === 'said') return [data];
		if (type !== '@position') return [];
		const { recovered, count } = data as { recovered?: boolean; count?: number };
		return [{ recovered, count }];
	});
}

/** The answer, once all that came before it is in `client.texts`. */
async function subscribed(client: TestClient, data: unknown): Promise<unknown> {
	const id = crypto.randomUUID();
	sendTyped(client, '@subscribe', data, id);
	await client.next((message) => parse(message)['correlationId'] === id);
	return answersOf(client).find(([correlationId]) => correlationId === id)?.[1];
}

describe('@subscribe to a topic with history', () => {
	it('begins where the topic is', async () => {
		const { at, tell } = await serving();
		await tell('chat:1', 'a', 'b');
		const client = await connectClient(at.ws);
		expect(await subscribed(client, { topic: 'chat:1' })).toEqual(ACCEPTED);
		await tell('chat:1', 'c');
		await allReceived(client);
		expect(heard(client)).toEqual([{ recovered: undefined, count: 0 }, 'c']);
	});

	it('with since gives what came after it, before the answer, and then what is live', async () => {
		const { at, tell, positionOf } = await serving();
		await tell('chat:1', 'a');
		const since = await positionOf('chat:1');
		await tell('chat:1', 'b', 'c');
		const client = await connectClient(at.ws);
		expect(await subscribed(client, { topic: 'chat:1', since })).toEqual(ACCEPTED);
		expect(heard(client)).toEqual(['b', 'c', { recovered: true, count: 2 }]);
		await tell('chat:1', 'd');
		await allReceived(client);
		expect(heard(client)).toEqual(['b', 'c', { recovered: true, count: 2 }, 'd']);
	});

	it('with a since that is not known gives nothing, and says so', async () => {
		const { at, tell } = await serving();
		await tell('chat:1', 'a', 'b');
		const client = await connectClient(at.ws);
		expect(await subscribed(client, { topic: 'chat:1', since: { epoch: 'another', offset: 1 } })).toEqual(ACCEPTED);
		expect(heard(client)).toEqual([{ recovered: false, count: 0 }]);
	});

	it('with rewind gives the last ones; since counts where both are given', async () => {
		const { at, tell, positionOf } = await serving();
		await tell('chat:1', 'a', 'b', 'c');
		const [first, second] = await Promise.all([connectClient(at.ws), connectClient(at.ws)]);
		expect(await subscribed(first, { topic: 'chat:1', rewind: 2 })).toEqual(ACCEPTED);
		expect(heard(first)).toEqual([
			{ recovered: undefined, count: undefined },
			'b',
			'c',
			{ recovered: undefined, count: 2 },
		]);
		const since = await positionOf('chat:1');
		expect(await subscribed(second, { topic: 'chat:1', since, rewind: 2 })).toEqual(ACCEPTED);
		expect(heard(second)).toEqual([{ recovered: true, count: 0 }]);
	});

	it('one of several is each as it would be alone, and those that are refused give nothing of their past', async () => {
		const { at, app, tell, positionOf } = await serving();
		const since = await positionOf('chat:1');
		await tell('chat:1', 'a');
		await tell('secret:1', 'hidden');
		await tell('chat:2', 'b', 'c');
		const client = await connectClient(at.ws);
		const answer = await subscribed(client, {
			topics: [
				{ topic: 'chat:1', since },
				{ topic: 'secret:1', rewind: 10 },
				'plain',
				{ topic: 'plain:2', rewind: 10 },
				{ topic: 'chat:2', rewind: 1 },
				{ topic: 'chat:3', rewind: 1 },
			],
		});
		expect(answer).toEqual({
			...ACCEPTED,
			refused: [
				{ topic: 'secret:1', code: 'forbidden', message: 'Not authorized to subscribe to secret:1' },
				{ topic: 'plain:2', code: 'invalid_data', message: 'plain:2 has no history to rewind' },
				{ topic: 'chat:3', code: 'too_many_topics', message: 'Limit of 3 topics per connection reached' },
			],
		});
		expect(heard(client).filter((one) => typeof one === 'string')).toEqual(['a', 'c']);
		expect(client.texts.join()).not.toContain('hidden');
		expect(app.refusals).toMatchObject({ forbidden: 1, topics: 1 });
	});

	it.each([
		['a rewind of 0', { topic: 'chat:1', rewind: 0 }],
		['a rewind of a half', { topic: 'chat:1', rewind: 0.5 }],
		['a rewind of too many', { topic: 'chat:1', rewind: 100_001 }],
		['a rewind that is text', { topic: 'chat:1', rewind: '5' }],
		['since as text', { topic: 'chat:1', since: 'now' }],
		['since null', { topic: 'chat:1', since: null }],
		['since without an epoch', { topic: 'chat:1', since: { offset: 1 } }],
		['an offset below zero', { topic: 'chat:1', since: { epoch: 'e', offset: -1 } }],
		['an offset that is text', { topic: 'chat:1', since: { epoch: 'e', offset: '1' } }],
		['one of several that is none', { topics: ['chat:1', { topic: 'chat:2', rewind: -1 }] }],
	])('%s is refused, and joins nothing', async (_, data) => {
		const { at, app, tell } = await serving();
		await tell('chat:1', 'before');
		const client = await connectClient(at.ws);
		expect(await subscribed(client, data)).toBe('invalid_data');
		await tell('chat:1', 'after');
		await allReceived(client);
		expect(heard(client)).toEqual([]);
		expect(app.refusals.data).toBe(1);
	});

	it('in which it is already: since gives what came after it again, and nothing twice after that', async () => {
		const { at, tell, positionOf } = await serving();
		const since = await positionOf('chat:1');
		const client = await connectClient(at.ws);
		await subscribed(client, { topic: 'chat:1' });
		await tell('chat:1', 'a', 'b');
		await subscribed(client, { topic: 'chat:1', since });
		await tell('chat:1', 'c');
		await allReceived(client);
		expect(heard(client).filter((one) => typeof one === 'string')).toEqual(['a', 'b', 'a', 'b', 'c']);
	});
});

describe('the application', () => {
	it('reads histories for its routes', async () => {
		const { at, tell } = await serving();
		await tell('chat:1', 'a', 'b', 'c');
		const page = await fetch(`${at.http}/history/chat:1`);
		expect(await page.json()).toMatchObject({ texts: ['b', 'c'], position: { recovered: true } });
	});

	it('publishes once for a key, from handlers as well', async () => {
		const { at } = await serving();
		const client = await connectClient(at.ws);
		sendTyped(client, 'ask', 'k', 'x');
		await client.next();
		expect(answersOf(client)).toEqual([['x', ['k']]]);
	});

	it('rejects what a topic without history can not do', async () => {
		const { app } = await serving();
		await expect(app.socket.history('plain')).rejects.toMatchObject({ name: 'NoHistoryError' });
		await expect(app.socket.emit(Said, 'plain', 'x', { idempotencyKey: 'k' })).rejects.toMatchObject({
			name: 'NoHistoryError',
		});
	});
});
