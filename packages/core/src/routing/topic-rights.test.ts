import { connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import {
	InProcWsProvider,
	InvalidOptionError,
	InvalidSocketIdError,
	InvalidTargetError,
	InvalidTopicError,
	InvalidUserIdError,
	ProviderNotStartedError,
	ProviderStoppedError,
	WsProvider,
} from '@orijs/websocket';
import { SocketError } from '@orijs/websocket/protocol';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError, type Authorize, type TopicAuthorization } from '../index.ts';
import { noticesOf, request, serveRights } from '../test-support/rights-server.ts';
import { serve } from '../test-support/serve.ts';
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

		expect(await app.reauthorize({ userId: 'ada' })).toMatchObject({ asked: 4, left: 0 });
		expect(await app.reauthorize({ userId: 'bob' })).toMatchObject({ asked: 0, left: 0 });
		rights.answer = () => ({ allowed: false, code: 'kicked', message: 'Bye' });
		expect(await app.reauthorize({ socketId: one.ws.data.socketId }, 'a')).toMatchObject({ asked: 1, left: 1 });
		expect([[...one.ws.data.topics], [...two.ws.data.topics]]).toEqual([
			['b', 'server'],
			['a', 'b'],
		]);
		expect(await app.reauthorize({ userId: 'ada' })).toMatchObject({ asked: 3, left: 3 });
		expect([[...one.ws.data.topics], [...two.ws.data.topics], asked.length]).toEqual([['server'], [], 12]);
		await until(() => noticesOf(one.client, '@unsubscribed').length === 2, { what: 'the client is told' });

		rights.answer = () => true;
		expect(await request(one.client, '@subscribe', { topic: 'a' })).toEqual(ACCEPTED);
	});

	it('reaches connections of other nodes', async () => {
		const backend = new MemoryBackend();
		const { authorize, rights } = answering(true);
		const here = await serveRights(authorize, { backend, userId: 'ada' });
		const there = await serveRights(authorize, { backend, userId: 'ada' });
		const other = await serveRights(authorize, { backend, userId: 'bob' });
		const all = [await here.connect(), await there.connect(), await other.connect()];
		for (const { client } of all) await request(client, '@subscribe', { topic: 't' });

		expect(await here.app.reauthorize({ userId: 'ada' })).toEqual({
			nodes: 3,
			answered: 3,
			unanswered: [],
			sockets: 2,
			asked: 2,
			left: 0,
		});
		rights.answer = () => ({ allowed: false, code: 'kicked', message: 'Bye' });
		const socketId = all[1]?.ws.data.socketId as string;
		expect(await here.app.reauthorize({ socketId }, 't')).toMatchObject({ answered: 3, sockets: 1, asked: 1, left: 1 });
		expect(all.map(({ ws }) => ws.data.topics.has('t'))).toEqual([true, false, true]);
		const client = all[1]?.client as TestClient;
		await until(() => noticesOf(client, '@unsubscribed').length === 1, { what: 'the client is told' });
		expect(await other.app.cluster.reauthorize({ topic: 't' })).toMatchObject({ sockets: 2, asked: 2, left: 2 });
		expect(await other.app.reauthorize('all')).toMatchObject({ sockets: 3, asked: 0, left: 0 });
	});

	it('asks at all endpoints, also those with providers of their own', async () => {
		const asked: string[] = [];
		const authorize = (path: string) => ({ subscribe: () => asked.push(path) > 0 });
		const app = new Application({ logger: new RecordingLogger() }).websocket(new InProcWsProvider(), {
			authorize: authorize('/ws'),
		});
		app.endpoint('/shared', { authorize: authorize('/shared') });
		app.endpoint('/own', new InProcWsProvider(), { authorize: authorize('/own') });
		const { ws: url } = await serve(app);
		for (const path of ['/ws', '/shared', '/own'])
			await request(await connectSpeaker(url.replace('/ws', path)), '@subscribe', { topic: 't' });
		expect(asked).toEqual(['/ws', '/shared', '/own']);

		expect(await app.reauthorize('all', 't')).toEqual({
			nodes: 2,
			answered: 2,
			unanswered: [],
			sockets: 3,
			asked: 3,
			left: 0,
		});
		expect(asked.slice(3).toSorted()).toEqual(['/own', '/shared', '/ws']);
	});

	it('asks about more clients than fit into a turn of the event loop', async () => {
		const { asked, authorize } = answering(true);
		const { app, connect } = await serveRights(authorize, { userId: 'ada' });
		const join = async (): Promise<void> => sendTyped((await connect()).client, '@subscribe', { topic: 't' });
		await Promise.all(Array.from({ length: 600 }, join));
		await until(() => asked.length === 600, { what: 'all have subscribed' });
		expect(await app.reauthorize({ userId: 'ada' })).toMatchObject({ sockets: 600, asked: 600, left: 0 });
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
		expect(await app.reauthorize({ socketId: ws.data.socketId })).toMatchObject({ asked: 0, left: 0 });
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
		expect(await app.reauthorize({ socketId })).toMatchObject({ asked: 1, left: 0 });
		slow.resolve(false);
		expect(await earlier).toMatchObject({ asked: 1, left: 0 });
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

	it.each<[string, unknown[], new (...args: never[]) => Error]>([
		['nothing', [], InvalidTargetError],
		['both', [{ socketId: crypto.randomUUID(), userId: 'b' }], InvalidTargetError],
		['a number', [{ userId: 7 }], InvalidUserIdError],
		['an invalid id', [{ socketId: 'a' }], InvalidSocketIdError],
		['an invalid topic', [{ userId: 'a' }, 'no topic!'], InvalidTopicError],
		['an invalid time', [{ userId: 'a' }, 't', { timeoutMs: 0 }], InvalidOptionError],
	])('rejects if it is given %s', async (_, args, kind) => {
		const { app } = await serveRights({});
		await expect((app.reauthorize as (...given: unknown[]) => Promise<unknown>)(...args)).rejects.toBeInstanceOf(kind);
	});

	it('resolves at the stop if an answer is still awaited, and rejects before the start and after the stop', async () => {
		const { authorize, rights } = answering(true);
		const { app, connect, provider } = await serveRights(authorize);
		const { client, ws } = await connect();
		await request(client, '@subscribe', { topic: 't' });
		rights.answer = () => new Promise(() => {});
		const pending = app.reauthorize({ socketId: ws.data.socketId });
		await app.stop();
		expect(await pending).toMatchObject({ answered: 0, unanswered: [provider.nodeId] });
		await expect(app.reauthorize({ userId: 'a' })).rejects.toBeInstanceOf(ProviderStoppedError);

		await expect(new Application().reauthorize({ userId: 'a' })).rejects.toBeInstanceOf(ApplicationError);
		const building = new Application().websocket(new WsProvider({ bus: new MemoryBackend().createBus() }));
		await expect(building.reauthorize({ userId: 'a' })).rejects.toBeInstanceOf(ProviderNotStartedError);
	});
});

it('a client that floods its requests with one topic keeps one right', async () => {
	const { asked, authorize } = answering(true);
	const { app, connect } = await serveRights(authorize);
	const { client, ws } = await connect();
	for (let i = 0; i < 50; i++) sendTyped(client, '@subscribe', { topic: 't' });
	await request(client, '@subscribe', { topic: 't' });
	expect(asked).toEqual(['t']);
	expect(await app.reauthorize({ socketId: ws.data.socketId })).toMatchObject({ asked: 1, left: 0 });
});

it('SocketProtocol asks again too', async () => {
	const { asked, authorize, rights } = answering(true);
	const { protocol, speaker } = await serveWired({ authorize });
	const client = await speaker();
	await request(client, '@subscribe', { topics: ['t', 'u'] });
	const { socketId } = (await request(client, '@auth')) as { socketId: string };
	rights.answer = () => ({ allowed: false, code: 'kicked', message: 'Bye' });
	expect(await protocol.reauthorize({ socketId }, 't')).toMatchObject({ asked: 1, left: 1 });
	await until(() => noticesOf(client, '@unsubscribed').length === 1, { what: 'the client is told' });
	expect([noticesOf(client, '@unsubscribed'), asked]).toEqual([
		[{ topic: 't', code: 'kicked', message: 'Bye' }],
		['t', 'u', 't'],
	]);
	await expect(protocol.reauthorize({} as never)).rejects.toBeInstanceOf(InvalidTargetError);
});
