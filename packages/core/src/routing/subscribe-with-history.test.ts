import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { type Address, serve } from '../test-support/serve.ts';
import { answersOf, allReceived, ACCEPTED, parse, sendTyped } from '../test-support/typed-client.ts';

const HISTORY = { 'chat:*': { size: 10, ttlMs: 600_000 }, 'secret:*': { size: 10, ttlMs: 600_000 } };
const Note = SocketMessage.define({ name: 'note', data: z.string() });
const Ask = SocketMessage.define({ name: 'ask', data: z.string(), reply: z.array(z.unknown()) });

interface Position {
	readonly epoch: string;
	readonly offset: number;
}

interface Serving {
	readonly app: Application;
	readonly at: Address;
	/** Publishes texts to a topic, one after the other. */
	publish(topic: string, ...texts: string[]): Promise<void>;
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
				await ctx.emit(Note, 'chat:asked', ctx.data, { idempotencyKey: ctx.data });
				await ctx.emit(Note, 'chat:asked', ctx.data, { idempotencyKey: ctx.data });
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
		async publish(topic, ...texts) {
			for (const text of texts) await app.socket.emit(Note, topic, text);
		},
		async positionOf(topic) {
			const { epoch, offset } = await app.socket.history(topic);
			return { epoch, offset };
		},
	};
}

/**
 * Returns the topic frames that a client has received, in order: the text of each message, and the fields of each
 * position.
 */
function received(client: TestClient): unknown[] {
	return client.texts.map(parse).flatMap(({ name, type, data }) => {
		if (name === 'note') return [data];
		if (type !== '@position') return [];
		const { recovered, count, rewinding } = data as { recovered?: boolean; count?: number; rewinding?: true };
		return [{ recovered, count, ...(rewinding && { rewinding }) }];
	});
}

/** Subscribes and returns the answer; everything received before it is in `client.texts`. */
async function subscribed(client: TestClient, data: unknown): Promise<unknown> {
	const id = crypto.randomUUID();
	sendTyped(client, '@subscribe', data, id);
	await client.next((message) => parse(message)['correlationId'] === id);
	return answersOf(client).find(([correlationId]) => correlationId === id)?.[1];
}

describe('@subscribe to a topic with history', () => {
	it('starts at the current position', async () => {
		const { at, publish } = await serving();
		await publish('chat:1', 'a', 'b');
		const client = await connectSpeaker(at.ws);
		expect(await subscribed(client, { topic: 'chat:1' })).toEqual(ACCEPTED);
		await publish('chat:1', 'c');
		await allReceived(client);
		expect(received(client)).toEqual([{ recovered: undefined, count: 0 }, 'c']);
	});

	it('with since sends the messages after it before the answer, then live ones', async () => {
		const { at, publish, positionOf } = await serving();
		await publish('chat:1', 'a');
		const since = await positionOf('chat:1');
		await publish('chat:1', 'b', 'c');
		const client = await connectSpeaker(at.ws);
		expect(await subscribed(client, { topic: 'chat:1', since })).toEqual(ACCEPTED);
		expect(received(client)).toEqual(['b', 'c', { recovered: true, count: 2 }]);
		await publish('chat:1', 'd');
		await allReceived(client);
		expect(received(client)).toEqual(['b', 'c', { recovered: true, count: 2 }, 'd']);
	});

	it('with an unknown since sends no messages and reports recovered: false', async () => {
		const { at, publish } = await serving();
		await publish('chat:1', 'a', 'b');
		const client = await connectSpeaker(at.ws);
		expect(await subscribed(client, { topic: 'chat:1', since: { epoch: 'another', offset: 1 } })).toEqual(ACCEPTED);
		expect(received(client)).toEqual([{ recovered: false, count: 0 }]);
	});

	it('with an unknown since and a rewind reports recovered: false, then sends the latest messages', async () => {
		const { at, publish } = await serving();
		await publish('chat:1', 'a', 'b', 'c');
		const client = await connectSpeaker(at.ws);
		const since = { epoch: 'another', offset: 1 };
		expect(await subscribed(client, { topic: 'chat:1', since, rewind: 2 })).toEqual(ACCEPTED);
		await publish('chat:1', 'd');
		await allReceived(client);
		expect(received(client)).toEqual([
			{ recovered: false, count: 0, rewinding: true },
			'b',
			'c',
			{ recovered: undefined, count: 2 },
			'd',
		]);
		expect(await subscribed(client, { topic: 'chat:empty', since, rewind: 2 })).toEqual(ACCEPTED);
		expect(received(client).slice(5)).toEqual([
			{ recovered: false, count: 0, rewinding: true },
			{ recovered: undefined, count: 0 },
		]);
	});

	it('with rewind sends the latest messages; since takes precedence', async () => {
		const { at, publish, positionOf } = await serving();
		await publish('chat:1', 'a', 'b', 'c');
		const [first, second] = await Promise.all([connectSpeaker(at.ws), connectSpeaker(at.ws)]);
		expect(await subscribed(first, { topic: 'chat:1', rewind: 2 })).toEqual(ACCEPTED);
		expect(received(first)).toEqual([
			{ recovered: undefined, count: 0, rewinding: true },
			'b',
			'c',
			{ recovered: undefined, count: 2 },
		]);
		const since = await positionOf('chat:1');
		expect(await subscribed(second, { topic: 'chat:1', since, rewind: 2 })).toEqual(ACCEPTED);
		expect(received(second)).toEqual([{ recovered: true, count: 0 }]);
	});

	it('treats each of several topics as if alone, and sends no history of refused ones', async () => {
		const { at, app, publish, positionOf } = await serving();
		const since = await positionOf('chat:1');
		await publish('chat:1', 'a');
		await publish('secret:1', 'hidden');
		await publish('chat:2', 'b', 'c');
		const client = await connectSpeaker(at.ws);
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
		expect(
			received(client)
				.filter((one) => typeof one === 'string')
				.toSorted(),
		).toEqual(['a', 'c']);
		expect(client.texts.join()).not.toContain('hidden');
		expect(app.refusals).toMatchObject({ forbidden: 1, topics: 1 });
	});

	it.each([
		['a rewind of 0', { topic: 'chat:1', rewind: 0 }],
		['a rewind of a half', { topic: 'chat:1', rewind: 0.5 }],
		['a rewind above the maximum', { topic: 'chat:1', rewind: 100_001 }],
		['a rewind that is text', { topic: 'chat:1', rewind: '5' }],
		['since as text', { topic: 'chat:1', since: 'now' }],
		['since null', { topic: 'chat:1', since: null }],
		['since without an epoch', { topic: 'chat:1', since: { offset: 1 } }],
		['an offset below zero', { topic: 'chat:1', since: { epoch: 'e', offset: -1 } }],
		['an offset that is text', { topic: 'chat:1', since: { epoch: 'e', offset: '1' } }],
		['one invalid topic of several', { topics: ['chat:1', { topic: 'chat:2', rewind: -1 }] }],
	])('%s is refused, and nothing is subscribed', async (_, data) => {
		const { at, app, publish } = await serving();
		await publish('chat:1', 'before');
		const client = await connectSpeaker(at.ws);
		expect(await subscribed(client, data)).toBe('invalid_data');
		await publish('chat:1', 'after');
		await allReceived(client);
		expect(received(client)).toEqual([]);
		expect(app.refusals.data).toBe(1);
	});

	it('already subscribed: since sends the messages after it again, and each later one once', async () => {
		const { at, publish, positionOf } = await serving();
		const since = await positionOf('chat:1');
		const client = await connectSpeaker(at.ws);
		await subscribed(client, { topic: 'chat:1' });
		await publish('chat:1', 'a', 'b');
		await subscribed(client, { topic: 'chat:1', since });
		await publish('chat:1', 'c');
		await allReceived(client);
		expect(received(client).filter((one) => typeof one === 'string')).toEqual(['a', 'b', 'a', 'b', 'c']);
	});
});

describe('the application', () => {
	it('can read a history in a route', async () => {
		const { at, publish } = await serving();
		await publish('chat:1', 'a', 'b', 'c');
		const page = await fetch(`${at.http}/history/chat:1`);
		expect(await page.json()).toMatchObject({ texts: ['b', 'c'], position: { recovered: true } });
	});

	it('can read the pages before a message in a route', async () => {
		const { app, publish } = await serving();
		await publish('chat:1', 'a', 'b', 'c', 'd', 'e');
		const texts: unknown[][] = [];
		let page = await app.socket.history('chat:1', { limit: 2 });
		texts.unshift(page.messages.map(({ data }) => data));
		while (page.hasMore) {
			page = await app.socket.history('chat:1', { before: page.messages[0]!.position, limit: 2 });
			texts.unshift(page.messages.map(({ data }) => data));
		}
		expect(texts).toEqual([['a'], ['b', 'c'], ['d', 'e']]);
	});

	it('publishes once per idempotency key, also from handlers', async () => {
		const { at } = await serving();
		const client = await connectSpeaker(at.ws);
		sendTyped(client, 'ask', 'k', 'x');
		await client.next();
		expect(answersOf(client)).toEqual([['x', ['k']]]);
	});

	it('rejects history() and idempotencyKey for a topic without history', async () => {
		const { app } = await serving();
		await expect(app.socket.history('plain')).rejects.toMatchObject({ name: 'NoHistoryError' });
		await expect(app.socket.emit(Note, 'plain', 'x', { idempotencyKey: 'k' })).rejects.toMatchObject({
			name: 'NoHistoryError',
		});
	});
});

it('a topic whose history cannot be read is refused; it holds up the others of its message for two seconds', async () => {
	const logger = new RecordingLogger();
	const bus = new MemoryBackend().createBus();
	const { history } = bus;
	const read = history?.read.bind(history);
	if (history === undefined || read === undefined) throw new Error('the memory bus has a history');
	history.read = (topic, ...rest) =>
		topic === 'chat:broken' ? Promise.reject(new Error('wrong type')) : read(topic, ...rest);
	const app = new Application({ logger, signals: false }).websocket(new WsProvider({ bus, logger, history: HISTORY }), {
		authorize: { subscribe: () => true },
	});
	const { ws } = await serve(app);
	const client = await connectSpeaker(ws);

	sendTyped(client, '@subscribe', { topics: ['plain', 'chat:broken', 'chat:fine'] }, 'x');
	const answer = parse(await client.next((text) => parse(text)['correlationId'] === 'x'));
	expect(answer['data']).toEqual({
		...ACCEPTED,
		refused: [{ topic: 'chat:broken', code: 'unavailable', message: 'Subscription failed; try again' }],
	});
	expect(logger.errors.map(({ message }) => message)).toEqual(['WebSocket failure (history): wrong type']);
});
