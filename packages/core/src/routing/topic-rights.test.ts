import { until } from '@orijs/testkit';
import { InvalidTopicError } from '@orijs/websocket';
import { SocketError } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { ApplicationError, type Authorize, type TopicAuthorization } from '../index.ts';
import { noticesOf, request, serveRights } from '../test-support/rights-server.ts';
import { serveWired } from '../test-support/serve-wired.ts';
import { ACCEPTED, sendTyped } from '../test-support/typed-client.ts';

type Answer = ReturnType<NonNullable<Authorize['subscribe']>>;

/** An `authorize` whose answers can be changed, and which records what it is asked. */
function answering(first: Answer) {
	const asked: string[] = [];
	const rights = { answer: (): Answer => first };
	const subscribe = (_: unknown, topic: string): Answer => {
		asked.push(topic);
		return rights.answer();
	};
	return { asked, rights, authorize: { subscribe } };
}

const soon = (ms = 200): TopicAuthorization => ({ allowed: true, expiresAt: Date.now() + ms });

describe('authorize.subscribe may answer', () => {
	it.each<[string, Answer, unknown]>([
		['that it is allowed', { allowed: true }, ACCEPTED],
		['until when', { allowed: true, expiresAt: new Date(Date.now() + 1e9) }, ACCEPTED],
		['until a time centuries away', { allowed: true, expiresAt: 8e15 }, ACCEPTED],
		['that it is not allowed', { allowed: false }, { code: 'forbidden', message: 'Not authorized to subscribe to t' }],
		[
			'why',
			{ allowed: false, code: 'banned', message: 'You are banned' },
			{ code: 'banned', message: 'You are banned' },
		],
		[
			'why, without text',
			Promise.resolve({ allowed: false, code: 'banned' }),
			{ code: 'banned', message: 'Not authorized to subscribe to t' },
		],
		[
			'that the right has expired',
			{ allowed: true, expiresAt: Date.now() - 1 },
			{ code: 'forbidden', message: expect.any(String) as string },
		],
	])('%s', async (_, answer, expected) => {
		const { app, connect, log } = await serveRights(answering(answer).authorize);
		const { client, ws } = await connect();

		expect(await request(client, '@subscribe', { topic: 't' })).toEqual(expected);
		const isIn = expected === ACCEPTED;
		expect([ws.data.topics.has('t'), app.refusals.forbidden, log.errors]).toEqual([isIn, isIn ? 0 : 1, []]);
	});

	it.each<[string, unknown, string]>([
		['a time in seconds', { allowed: true, expiresAt: Date.now() / 1_000 }, 'is it in seconds?'],
		['no time', { allowed: true, expiresAt: 'tomorrow' }, 'expiresAt of authorize.subscribe must be a valid Date'],
		['an invalid code', { allowed: false, code: 'No!' }, 'An error code must match'],
		['an invalid message', { allowed: false, message: 7 }, 'message of authorize.subscribe must be a string'],
	])('but not %s: the client gets internal, the log why', async (_, answer, why) => {
		const { connect, log } = await serveRights(answering(answer as Answer).authorize);
		const { client, ws } = await connect();

		expect(await request(client, '@subscribe', { topic: 't' })).toMatchObject({ code: 'internal' });
		expect(ws.data.topics.size).toBe(0);
		expect(String(log.errors[0]?.details?.['err'])).toContain(why);
	});

	it('nothing without allowed: it is forbidden, and logged', async () => {
		const { connect, log } = await serveRights(answering({ allow: true } as never).authorize);
		const { client } = await connect();
		expect(await request(client, '@subscribe', { topic: 't' })).toMatchObject({ code: 'forbidden' });
		expect(log.errors[0]?.message).toContain('authorize.subscribe has answered');
	});
});

describe('when a right expires', () => {
	it('it is asked again, and what is refused is left with its code', async () => {
		const { asked, authorize, rights } = answering(soon());
		const { connect, provider } = await serveRights(authorize);
		const { client, ws } = await connect();
		await request(client, '@subscribe', { topics: ['t', 'u'] });

		rights.answer = () => soon();
		await until(() => asked.length === 4, { what: 'both are asked about again' });
		expect(noticesOf(client, '@unsubscribed')).toEqual([]);
		rights.answer = () => ({ allowed: false, code: 'kicked', message: 'Bye' });
		await until(() => noticesOf(client, '@unsubscribed').length === 2, { what: 'the client is told' });
		expect(noticesOf(client, '@unsubscribed')).toEqual([
			{ topic: 't', code: 'kicked', message: 'Bye' },
			{ topic: 'u', code: 'kicked', message: 'Bye' },
		]);
		expect([ws.data.topics.size, provider.getTopicCount(), asked.length]).toEqual([0, 0, 6]);
	});

	it.each<[string, () => Answer, unknown]>([
		['is refused', () => false, { code: 'forbidden', message: 'Not authorized to subscribe to t' }],
		[
			'throws',
			() => {
				throw new Error('secret');
			},
			{ code: 'internal', message: 'Internal server error' },
		],
		[
			'rejects',
			() => Promise.reject(new SocketError('gone', 'The room is gone')),
			{ code: 'gone', message: 'The room is gone' },
		],
		['takes too long', () => new Promise(() => {}), { code: 'timeout', message: 'The server did not finish in time' }],
	])('and the question %s, the topic is left', async (_, answer, fault) => {
		const { authorize, rights } = answering(soon());
		const { connect } = await serveRights(authorize, { limits: { handlerTimeoutMs: 100 } });
		const { client } = await connect();
		await request(client, '@subscribe', { topic: 't' });

		rights.answer = answer;
		await until(() => noticesOf(client, '@unsubscribed').length > 0, { what: 'the client is told' });
		expect(noticesOf(client, '@unsubscribed')).toEqual([{ topic: 't', ...(fault as object) }]);
	});

	it('a topic that the client has left, or that the server has chosen as well, is not asked about', async () => {
		const { asked, authorize, rights } = answering(soon());
		const { connect } = await serveRights(authorize);
		const { client, ws } = await connect();
		await request(client, '@subscribe', { topics: ['left', 'removed', 'chosen', 'asked'] });
		await request(client, '@unsubscribe', { topic: 'left' });
		await ws.unsubscribe('removed');
		await ws.subscribe('chosen');

		rights.answer = () => false;
		await until(() => asked.length > 4, { what: 'one is asked about' });
		await until(() => !ws.data.topics.has('asked'), { what: 'it is left' });
		expect([asked.slice(4), [...ws.data.topics]]).toEqual([['asked'], ['chosen']]);
	});

	it('of a connection that has ended, nothing is asked', async () => {
		const { asked, authorize } = answering(soon());
		const { app, connect } = await serveRights(authorize);
		const { client } = await connect();
		const stays = await connect();
		await request(client, '@subscribe', { topic: 't' });
		await client.close();
		await until(() => app.socket.getConnectionCount() === 1, { what: 'the connection has ended' });
		await request(stays.client, '@subscribe', { topic: 'later' });
		await until(() => asked.filter((topic) => topic === 'later').length > 1, { what: 'the later one is asked about' });
		expect(asked.filter((topic) => topic === 't')).toHaveLength(1);
	});
});

describe('reauthorize', () => {
	it('asks again about the topics that the clients of a user asked for', async () => {
		const { asked, authorize, rights } = answering(true);
		const { app, connect } = await serveRights(authorize, { userId: 'ada' });
		const [one, two] = [await connect(), await connect()];
		for (const { client } of [one, two]) await request(client, '@subscribe', { topics: ['a', 'b'] });
		await one.ws.subscribe('server');

		expect(await app.reauthorize({ userId: 'ada' })).toEqual({ asked: 4, left: 0 });
		expect(await app.reauthorize({ userId: 'bob' })).toEqual({ asked: 0, left: 0 });
		rights.answer = () => ({ allowed: false, code: 'kicked', message: 'Bye' });
		expect(await app.reauthorize({ socketId: one.ws.data.socketId }, 'a')).toEqual({ asked: 1, left: 1 });
		expect([[...one.ws.data.topics], [...two.ws.data.topics]]).toEqual([
			['b', 'server'],
			['a', 'b'],
		]);
		expect(await app.reauthorize({ userId: 'ada' })).toEqual({ asked: 3, left: 3 });
		expect([[...one.ws.data.topics], [...two.ws.data.topics], asked.length]).toEqual([['server'], [], 12]);
		await until(() => noticesOf(one.client, '@unsubscribed').length === 2, { what: 'the client is told' });

		rights.answer = () => true;
		expect(await request(one.client, '@subscribe', { topic: 'a' })).toEqual(ACCEPTED);
	});

	it('reaches connections of its own node only, and of its own endpoint', async () => {
		const { authorize } = answering(true);
		const here = await serveRights(authorize);
		const there = await serveRights(authorize);
		const { client, ws } = await there.connect();
		await request(client, '@subscribe', { topic: 't' });
		expect(await here.app.reauthorize({ socketId: ws.data.socketId })).toEqual({ asked: 0, left: 0 });
		expect(await there.app.reauthorize({ socketId: ws.data.socketId })).toEqual({ asked: 1, left: 0 });
	});

	it('while a request is being decided: it is decided again', async () => {
		const { asked, authorize, rights } = answering(true);
		const { app, connect } = await serveRights(authorize);
		const { client, ws } = await connect();
		const first = Promise.withResolvers<boolean>();
		rights.answer = () => (asked.at(-1) === 'slow' ? first.promise : Promise.resolve(true));
		const answer = request(client, '@subscribe', { topics: ['quick', 'slow'] });
		await until(() => asked.length === 2, { what: 'both are asked about' });

		rights.answer = () => asked.at(-1) === 'slow';
		expect(await app.reauthorize({ socketId: ws.data.socketId })).toEqual({ asked: 0, left: 0 });
		first.resolve(true);
		expect(await answer).toEqual({
			...ACCEPTED,
			refused: [{ topic: 'quick', code: 'forbidden', message: 'Not authorized to subscribe to quick' }],
		});
		expect([asked, [...ws.data.topics]]).toEqual([['quick', 'slow', 'quick', 'slow'], ['slow']]);
	});

	it('twice at once: the later answer counts', async () => {
		const { authorize, rights } = answering(true);
		const { app, connect } = await serveRights(authorize);
		const { client, ws } = await connect();
		await request(client, '@subscribe', { topic: 't' });
		const { socketId } = ws.data;
		const slow = Promise.withResolvers<boolean>();
		rights.answer = () => slow.promise;
		const earlier = app.reauthorize({ socketId });
		rights.answer = () => true;
		expect(await app.reauthorize({ socketId })).toEqual({ asked: 1, left: 0 });
		slow.resolve(false);
		expect(await earlier).toEqual({ asked: 1, left: 0 });
		expect([...ws.data.topics]).toEqual(['t']);
	});

	it('while its answer is awaited, a topic that the client leaves and enters again is not taken away', async () => {
		const { authorize, rights } = answering(true);
		const { app, connect } = await serveRights(authorize);
		const { client, ws } = await connect();
		await request(client, '@subscribe', { topic: 't' });
		const slow = Promise.withResolvers<boolean>();
		rights.answer = () => slow.promise;
		const reauthorized = app.reauthorize({ socketId: ws.data.socketId });
		await request(client, '@unsubscribe', { topic: 't' });
		rights.answer = () => true;
		await request(client, '@subscribe', { topic: 't' });
		slow.resolve(false);
		await reauthorized;
		expect([...ws.data.topics]).toEqual(['t']);
	});

	it.each<[string, unknown[], string]>([
		['nothing', [], 'pass { socketId } or { userId }, not undefined'],
		['both', [{ socketId: 'a', userId: 'b' }], 'pass { socketId } or { userId }, not '],
		['a number', [{ userId: 7 }], 'pass { socketId } or { userId }, not '],
	])('rejects with an ApplicationError if it is given %s', async (_, args, message) => {
		const { app } = await serveRights({});
		const error: unknown = await (app.reauthorize as (...given: unknown[]) => Promise<unknown>)(...args).catch(
			(thrown: unknown) => thrown,
		);
		expect(error).toBeInstanceOf(ApplicationError);
		expect(String(error)).toContain(message);
	});

	it('rejects an invalid topic; resolves after the stop, also if an answer is still awaited', async () => {
		const { authorize, rights } = answering(true);
		const { app, connect } = await serveRights(authorize);
		const { client, ws } = await connect();
		await request(client, '@subscribe', { topic: 't' });
		await expect(app.reauthorize({ userId: 'a' }, 'no topic!')).rejects.toBeInstanceOf(InvalidTopicError);
		rights.answer = () => new Promise(() => {});
		const pending = app.reauthorize({ socketId: ws.data.socketId });
		await app.stop();
		expect(await pending).toEqual({ asked: 1, left: 1 });
		expect(await app.reauthorize({ userId: 'a' })).toEqual({ asked: 0, left: 0 });
	});
});

it('a client that floods its requests with one topic keeps one right', async () => {
	const { asked, authorize } = answering(true);
	const { app, connect } = await serveRights(authorize);
	const { client, ws } = await connect();
	for (let i = 0; i < 50; i++) sendTyped(client, '@subscribe', { topic: 't' });
	await request(client, '@subscribe', { topic: 't' });
	expect(asked).toEqual(['t']);
	expect(await app.reauthorize({ socketId: ws.data.socketId })).toEqual({ asked: 1, left: 0 });
});

it('SocketProtocol asks again too', async () => {
	const { asked, authorize, rights } = answering(true);
	const { protocol, speaker } = await serveWired({ authorize });
	const client = await speaker();
	await request(client, '@subscribe', { topics: ['t', 'u'] });
	const { socketId } = (await request(client, '@auth')) as { socketId: string };
	rights.answer = () => ({ allowed: false, code: 'kicked', message: 'Bye' });
	expect(await protocol.reauthorize({ socketId }, 't')).toEqual({ asked: 1, left: 1 });
	await until(() => noticesOf(client, '@unsubscribed').length === 1, { what: 'the client is told' });
	expect([noticesOf(client, '@unsubscribed'), asked]).toEqual([
		[{ topic: 't', code: 'kicked', message: 'Bye' }],
		['t', 'u', 't'],
	]);
	await expect(protocol.reauthorize({} as never)).rejects.toBeInstanceOf(ApplicationError);
});
