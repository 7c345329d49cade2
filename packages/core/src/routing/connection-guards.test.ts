import { connectClient, connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
	Application,
	type AuthenticateContext,
	type ConnectionGuard,
	type GuardContext,
	SocketRouter,
} from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { allReceived, answersOf, ACCEPTED, ANNOUNCED, parse, sendTyped } from '../test-support/typed-client.ts';

const WhoAmI = SocketMessage.define({ name: 'who', data: z.unknown(), reply: z.unknown() });

interface State {
	name: string;
	rights: string[];
}

describe('guards that accept a connection', () => {
	it('run in order, before everything else, again with each further @auth, and handlers see the state they set', async () => {
		const events: string[] = [];
		const router = new SocketRouter<State>()
			.guard(async (ctx) => {
				await new Promise((resolve) => setImmediate(resolve));
				events.push('first guard');
				ctx.state.name = 'Ada';
				return true;
			})
			.guard((ctx) => {
				events.push(`second guard, after ${ctx.state.name}`);
				ctx.state.rights = ['write'];
				return true;
			})
			.on(WhoAmI, ({ state }) => {
				events.push('message');
				return state;
			});
		const app = new Application().websocket().socketRouter(router);
		app.onWebSocket({ open: () => void events.push('open') });
		const client = await connectSpeaker((await serve(app)).ws);

		sendTyped(client, '@auth', 'token', 'a');
		sendTyped(client, 'who', null, 'b');
		sendTyped(client, 'who', null, 'd');
		await client.received(3);
		sendTyped(client, '@auth', 'another token', 'c');
		await client.received(4);
		const ada = { name: 'Ada', rights: ['write'] };
		const accepted = { ...ACCEPTED, socketId: expect.any(String) as string, ...ANNOUNCED };
		expect(answersOf(client)).toEqual([
			['a', accepted],
			['b', ada],
			['d', ada],
			['c', accepted],
		]);
		const guards = ['first guard', 'second guard, after Ada'];
		expect(events).toEqual([...guards, 'open', 'message', 'message', ...guards]);
	});

	it('set the state of their own connection only', async () => {
		const router = new SocketRouter<State>()
			.authenticate((ctx) => {
				ctx.state.name = `${ctx.state.name ?? ''}${String(ctx.auth)}`;
				return true;
			})
			.on(WhoAmI, ({ state }) => state.name);
		const { ws } = await serve(new Application().websocket().socketRouter(router));
		const clients = await Promise.all([connectSpeaker(ws), connectSpeaker(ws)]);

		for (const [number, client] of clients.entries()) sendTyped(client, '@auth', `client ${number}`);
		for (const [number, client] of clients.entries()) {
			sendTyped(client, 'who', null, 'a');
			await client.next();
			expect(answersOf(client)).toEqual([['a', `client ${number}`]]);
		}
	});

	it('answer @auth with the socket id, the time and the rate limit, if it has a correlation id', async () => {
		let socketId: unknown;
		const { connect } = await guarded((ctx) => {
			socketId = ctx.socketId;
			return true;
		});
		const [silent, asking] = [await connect(), await connect()];

		sendTyped(silent, '@auth', 'token');
		await allReceived(silent);
		expect(answersOf(silent)).toEqual([]);

		sendTyped(asking, '@auth', 'token', 'a');
		expect(parse(await asking.next())).toEqual({
			type: '@auth',
			correlationId: 'a',
			data: { ...ACCEPTED, socketId, ...ANNOUNCED },
		});
	});
});

describe('without authenticate, guards', () => {
	it.each(['plain', 'speaking'])('run right after the upgrade: a %s client need not send anything', async (kind) => {
		const { app, connect, connectPlain } = await guarded(() => true);
		const client = await (kind === 'plain' ? connectPlain() : connect());
		await until(() => app.socket.broadcast('all').then(() => client.messages.length > 0), { what: 'it is open' });
	});

	it('refuse a client that has sent nothing with 4401', async () => {
		const { connectPlain } = await guarded(() => false);
		expect(await (await connectPlain()).closed).toEqual({ code: 4401, reason: 'unauthorized' });
	});

	it('hold what arrives before they have passed, @auth included, and handle it in order', async () => {
		const gate = Promise.withResolvers<boolean>();
		const { connect } = await guarded(() => gate.promise);
		const client = await connect();
		sendTyped(client, '@ping', null, 'a');
		sendTyped(client, '@auth', 'token', 'b');
		sendTyped(client, 'who', null, 'c');
		await Bun.sleep(20);
		expect(client.messages).toEqual([]);
		gate.resolve(true);
		await client.received(3);
		expect(client.texts.map((text) => parse(text)['correlationId'])).toEqual(['a', 'b', 'c']);
	});
});

describe('authenticate', () => {
	it('waits for the first frame, also of a plain client', async () => {
		let runs = 0;
		const router = new SocketRouter().authenticate(() => ++runs > 0);
		const app = new Application({ logger: new RecordingLogger() }).websocket().socketRouter(router);
		const { ws } = await serve(app.onWebSocket({ message: (socket, message) => void socket.send(message) }));
		const client = await connectClient(ws);
		await app.socket.broadcast('too early');
		expect(runs).toBe(0);
		client.send('hello');
		expect(await client.next()).toBe('hello');
		expect(runs).toBe(1);
	});

	it('receives the data of @auth, whatever it is; guards after it do not', async () => {
		const shown: unknown[] = [];
		const after: unknown[] = [];
		const router = new SocketRouter()
			.guard((ctx) => after.push((ctx as AuthenticateContext).auth) > 0)
			.authenticate(({ auth }) => shown.push(auth) > 0);
		const { ws } = await serve(new Application().websocket().socketRouter(router));
		const connect = () => connectSpeaker(ws);

		const tokens = ['token', { token: 'x', tags: ['a'] }, 7, null, undefined];
		for (const token of tokens) {
			const client = await connect();
			sendTyped(client, '@auth', token, 'a');
			await client.next();
		}
		expect(shown).toEqual(tokens);
		expect(after).toEqual(tokens.map(() => undefined));
	});
});

describe('a guard', () => {
	it('receives the headers, cookies and address of the upgrade, and the data upgrade() returned', async () => {
		const contexts: GuardContext[] = [];
		const upgraded: [headers: object, cookies: object][] = [];
		const app = new Application()
			.websocket({
				upgrade({ headers, cookies }) {
					upgraded.push([headers.toJSON(), cookies.toJSON()]);
					return { tenant: headers.get('x-tenant') };
				},
			})
			.socketRouter(new SocketRouter().guard((ctx) => contexts.push(ctx) > 0));
		const { ws } = await serve(app);
		const headers = { cookie: 'session=s3; theme=dark%20blue', 'x-tenant': 'acme' };
		const client = await connectSpeaker(ws, { headers });

		sendTyped(client, '@auth', 'token', 'a');
		await client.next();
		const [ctx] = contexts;
		expect([[ctx?.headers.toJSON(), ctx?.cookies.toJSON()]]).toEqual(upgraded);
		expect([ctx?.cookies.get('theme'), ctx?.headers.get('x-tenant')]).toEqual(['dark blue', 'acme']);
		expect(ctx?.data).toEqual({ tenant: 'acme' });
		expect(ctx?.remoteAddress).toMatch(/^(127\.0\.0\.1|::1|::ffff:127\.0\.0\.1)$/);
		expect(ctx?.signal.aborted).toBe(false);
	});

	it("logs the socket's id with each line", async () => {
		const { connect, log } = await guarded((ctx) => {
			ctx.log.info('looking', { socketId: ctx.socketId, at: 'home' });
			return true;
		});
		const client = await connect();

		sendTyped(client, '@auth', 'token', 'a');
		const { socketId } = parse(await client.next())['data'] as Record<string, unknown>;
		expect(log.lines).toContainEqual({
			level: 'info',
			message: 'looking',
			details: { socketId, at: 'home' },
		});
	});
});

it('without guards, @auth is answered with the socket id as well', async () => {
	const app = new Application().websocket().socketRouter(new SocketRouter().on(WhoAmI, ({ socketId }) => socketId));
	const client = await connectSpeaker((await serve(app)).ws);

	sendTyped(client, 'who', null, 'a');
	const socketId = parse(await client.next())['data'];
	sendTyped(client, '@auth', 'token', 'b');
	expect(parse(await client.next())).toEqual({
		type: '@auth',
		correlationId: 'b',
		data: { ...ACCEPTED, socketId, ...ANNOUNCED },
	});
});

it.each([
	[{ messagesPerSecond: Infinity }, { messageBytes: 65_536, bytesPerSecond: 1_048_576 }],
	[
		{ bytesPerSecond: Infinity, messageBytes: 500 },
		{ messageBytes: 500, messagesPerSecond: 100 },
	],
])('the answer to @auth contains the limits that there are: %j', async (limits, announced) => {
	const app = new Application().websocket({ limits }).socketRouter(new SocketRouter());
	const client = await connectSpeaker((await serve(app)).ws);

	const before = Date.now();
	sendTyped(client, '@auth', 'token', 'a');
	const { data } = parse(await client.next());
	expect(data).toEqual({ ...ACCEPTED, ...announced, socketId: expect.any(String) as string });
	const { timestamp } = data as { timestamp: number };
	expect([timestamp >= before, timestamp <= Date.now()]).toEqual([true, true]);
});

async function guarded(...guards: readonly ConnectionGuard<object>[]) {
	const log = new RecordingLogger();
	const router = new SocketRouter();
	for (const guard of guards) router.guard(guard);
	const app = new Application({ logger: log }).websocket().socketRouter(router);
	const { ws } = await serve(app);
	return { app, log, connect: () => connectSpeaker(ws), connectPlain: () => connectClient(ws) };
}
