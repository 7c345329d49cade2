import { HANDSHAKE, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { ask, framesOf, serveGuarded } from '../test-support/guarded-server.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { serve } from '../test-support/serve.ts';
import { allReceived, answersOf, parse, sendTyped } from '../test-support/typed-client.ts';

const Note = SocketMessage.define({ name: 'note', data: z.number() });
const Ask = SocketMessage.define({ name: 'ask', data: z.null(), reply: z.string() });

const member = () =>
	new SocketRouter()
		.authenticate(async (ctx) => {
			await ctx.subscribe('by-authenticate');
			return true;
		})
		.guard(async (ctx) => {
			await ctx.subscribe('by-guard');
			return true;
		});

describe('before its @auth is answered, a client', () => {
	it('is in the topics that guards and open have subscribed it to, and is told so', async () => {
		const { connect, provider } = await serveGuarded(member(), { handlers: { open: (ws) => ws.subscribe('by-open') } });
		const client = await connect();
		const { data } = await ask(client, '@auth', 'token');

		expect(framesOf(client)).toEqual(['@subscribed by-authenticate by-guard by-open', '@auth']);
		for (const topic of ['by-authenticate', 'by-guard', 'by-open'])
			expect([...provider.getTopicSubscribers(topic)]).toEqual([data['socketId']]);
	});

	it('also if this node is in all of them already, so that nothing has to be confirmed', async () => {
		const { connect } = await serveGuarded(member(), { handlers: { open: (ws) => void ws.subscribe('by-open') } });
		await ask(await connect(), '@auth', 'token');
		const client = await connect();
		await ask(client, '@auth', 'token');
		const frames = framesOf(client);
		expect(frames.at(-1)).toBe('@auth');
		expect(frames.slice(0, -1).join(' ').replaceAll('@subscribed ', '')).toBe('by-authenticate by-guard by-open');
	});

	it('receives what other nodes publish to them, from then on', async () => {
		const { connect, other, holdConfirmations } = await serveGuarded(member());
		const confirm = holdConfirmations();
		const client = await connect();
		const answered = ask(client, '@auth', 'token');
		setTimeout(confirm, 100);
		await answered;
		await other.emit(Note, 'by-guard', 7);
		await client.next((frame) => parse(frame)['name'] === 'note');
		expect(framesOf(client)).toEqual(['@subscribed by-authenticate by-guard', '@auth', 'note']);
	});

	it('waits for open: its messages come after it, in order; pings and replies are handled at once', async () => {
		const gate = Promise.withResolvers<void>();
		const events: unknown[] = [];
		const router = new SocketRouter().authenticate(() => true).on(Note, ({ data }) => void events.push(data));
		const { app, connect } = await serveGuarded(router, {
			handlers: {
				async open(ws) {
					events.push(await app.socket.request(ws.data.socketId, Ask, null));
					await gate.promise;
					await ws.subscribe('late');
					events.push('opened');
				},
			},
		});
		const client = await connect();
		sendTyped(client, '@auth', 'token', 'auth');
		for (const number of [1, 2, 3]) sendTyped(client, 'note', number);
		const { correlationId } = parse(await client.next((frame) => parse(frame)['name'] === 'ask'));
		sendTyped(client, '@reply', 'the answer', String(correlationId));
		await until(() => events.length === 1, { what: 'the reply has arrived' });
		await allReceived(client);
		expect([events, answersOf(client)]).toEqual([['the answer'], []]);

		gate.resolve();
		await until(() => events.length === 5, { what: 'all messages are handled' });
		expect(events).toEqual(['the answer', 'opened', 1, 2, 3]);
		expect(framesOf(client)).toEqual(['ask', '@ping', '@subscribed late', '@auth']);
	});

	it('waits for onOpen of all routers as well, which may ask it, and subscribe it', async () => {
		const events: unknown[] = [];
		const router = new SocketRouter()
			.authenticate(() => true)
			.onOpen(async (ctx) => {
				events.push(await ctx.request(Ask, null));
				await ctx.subscribe('by-hook');
			})
			.onOpen(() => void events.push('second'))
			.on(Note, ({ data }) => void events.push(data));
		const { connect } = await serveGuarded(router);
		const client = await connect();
		sendTyped(client, '@auth', 'token', 'auth');
		sendTyped(client, 'note', 1);
		const { correlationId } = parse(await client.next((frame) => parse(frame)['name'] === 'ask'));
		sendTyped(client, '@reply', 'the answer', String(correlationId));
		await until(() => events.length === 3, { what: 'everything has been called' });
		expect(events).toEqual(['the answer', 'second', 1]);
		expect(framesOf(client)).toEqual(['ask', '@subscribed by-hook', '@auth']);
	});

	it('waits for open without authenticate too: its @auth is answered in its turn', async () => {
		const gate = Promise.withResolvers<void>();
		const { connect } = await serveGuarded(
			new SocketRouter().on(Ask, () => 'handled'),
			{ handlers: { open: () => gate.promise } },
		);
		const client = await connect();
		sendTyped(client, '@auth', 'token', 'auth');
		sendTyped(client, 'ask', null, 'ask');
		await allReceived(client);
		gate.resolve();
		await client.received(3);
		expect(framesOf(client)).toEqual(['@ping', '@auth', 'ask']);
	});

	it('has all its messages handled in order, however many wait', async () => {
		const gate = Promise.withResolvers<void>();
		const handled: string[] = [];
		const Text = SocketMessage.define({ name: 'text', data: z.string() });
		const { connect } = await serveGuarded(
			new SocketRouter().on(Text, ({ data }) => void handled.push(data)),
			{
				limits: { queuedMessages: 4 },
				handlers: { open: () => gate.promise },
			},
		);
		const client = await connect();
		const texts = Array.from({ length: 50 }, (_, number) => `${number} `.repeat(3_000));
		for (const text of texts) sendTyped(client, 'text', text);
		await Bun.sleep(20);
		gate.resolve();
		await until(() => handled.length === texts.length, { what: 'all are handled' });
		expect(handled).toEqual(texts);
	});
});

describe('an open that never ends', () => {
	it('is logged after the guard timeout, and holds up its client no longer, with a gap from then', async () => {
		const gate = Promise.withResolvers<void>();
		const router = new SocketRouter().authenticate(() => true).on(Ask, () => 'handled');
		const { connect, log } = await serveGuarded(router, {
			limits: { guardTimeoutMs: 60 },
			handlers: {
				async open(ws) {
					await gate.promise;
					await ws.subscribe('much-later');
				},
			},
		});
		const client = await connect();
		const begin = performance.now();
		await ask(client, '@auth', 'token');
		const waited = performance.now() - begin;
		const readyAt = Date.now();
		expect(waited).toBeGreaterThanOrEqual(60);
		expect(log.errors).toEqual([
			{
				level: 'error',
				message: 'The open handler, or onOpen, has not finished in time; its client is no longer held up',
				details: { socketId: expect.any(String) as string, limitMs: 60 },
			},
		]);
		expect(await ask(client, 'ask', null)).toMatchObject({ data: 'handled' });

		gate.resolve();
		const { data } = parse(await client.next((frame) => parse(frame)['type'] === '@gap'));
		const { topic, since, until: end } = data as { topic: string; since: number; until: number };
		expect(topic).toBe('much-later');
		expect(since).toBeLessThanOrEqual(readyAt);
		expect(end).toBeGreaterThanOrEqual(readyAt);
		expect(framesOf(client)).toContain('@subscribed much-later');
	});

	it('nor does an onOpen hold it up', async () => {
		const router = new SocketRouter().authenticate(() => true).onOpen(() => new Promise(() => {}));
		const { connect, log } = await serveGuarded(router, { limits: { guardTimeoutMs: 60 } });
		const client = await connect();
		await ask(client, '@auth', 'token');
		expect(log.errors).toMatchObject([{ details: { limitMs: 60 } }]);
		expect(await ask(client, 'state')).toMatchObject({ data: {} });
	});

	it('does not outlive its connection', async () => {
		const { app, connect, provider } = await serveGuarded(
			new SocketRouter().authenticate(() => true),
			{
				limits: { guardTimeoutMs: 40 },
				handlers: { open: () => new Promise(() => {}) },
			},
		);
		const client = await connect();
		sendTyped(client, '@auth', 'token', 'a');
		await until(() => provider.getConnectionCount() === 1, { what: 'it is opening' });
		await client.close();
		await until(() => provider.getConnectionCount() === 0, { what: 'it has closed' });
		const begin = performance.now();
		await app.stop();
		expect(performance.now() - begin).toBeLessThan(2_000);
	});
});

describe('while the backend', () => {
	it('does not confirm, a client becomes ready after a second, and is told since when it may have missed messages', async () => {
		const { connect, holdConfirmations } = await serveGuarded(member(), {
			handlers: { open: (ws) => ws.subscribe('by-open') },
		});
		const confirm = holdConfirmations();
		const client = await connect();
		const begin = performance.now();
		await ask(client, '@auth', 'token');
		expect(performance.now() - begin).toBeGreaterThanOrEqual(990);
		expect(framesOf(client)).toEqual(['@auth']);
		const readyAt = Date.now();
		expect(await ask(client, 'state')).toMatchObject({ data: {} });

		confirm();
		const topics: { topic: string; since: number }[] = [];
		while (topics.length < 3) {
			const { data } = parse(await client.next((frame) => parse(frame)['type'] === '@subscribed'));
			topics.push(...(data as { topics: typeof topics }).topics);
		}
		for (const { since } of topics) expect(since).toBeLessThanOrEqual(readyAt);
	});

	it('confirms late, a client that has waited for it has missed nothing', async () => {
		const { bus, connect } = await serveGuarded(member());
		const { subscribe } = bus;
		bus.subscribe = async (channels) => {
			await subscribe(channels);
			// The topics after the socket itself.
			await Bun.sleep(channels.some((channel) => channel.startsWith('@')) ? 400 : 500);
		};
		const client = await connect();
		await ask(client, '@auth', 'token');
		await ask(client, 'state');
		expect(framesOf(client)).toEqual(['@subscribed by-authenticate by-guard', '@auth', 'state']);
	});

	it('is away, a client becomes ready at once, even if open awaits its subscriptions', async () => {
		const { backend, bus, connect, provider } = await serveGuarded(member(), {
			handlers: { open: (ws) => ws.subscribe('by-open') },
		});
		backend.cut(bus);
		await until(() => provider.status !== 'ready', { what: 'the node has noticed' });
		const client = await connect();
		const begin = performance.now();
		await ask(client, '@auth', 'token');
		expect(performance.now() - begin).toBeLessThan(900);
		const readyAt = Date.now();

		backend.restore(bus);
		const told = new Set<string>();
		while (told.size < 3) {
			const { data } = parse(await client.next((frame) => parse(frame)['type'] === '@subscribed'));
			for (const { topic, since } of (data as { topics: { topic: string; since: number }[] }).topics) {
				expect(since).toBeLessThanOrEqual(readyAt);
				told.add(topic);
			}
		}
	});
});

it('an open that fails closes the connection with 1011, and @auth is not answered', async () => {
	const { connect } = await serveGuarded(member(), {
		handlers: {
			async open() {
				await Bun.sleep(5);
				throw new Error('broken');
			},
		},
	});
	const client = await connect();
	sendTyped(client, '@auth', 'token', 'a');
	sendTyped(client, 'state', null, 'b');
	expect(await client.closed).toMatchObject({ code: 1011, reason: 'open failed' });
	expect(answersOf(client).filter(([id]) => id !== undefined)).toEqual([]);
});

it('what a client sent before it left while open runs is handled after that, and close is called', async () => {
	const gate = Promise.withResolvers<void>();
	const events: string[] = [];
	const router = new SocketRouter().authenticate(() => true).on(Note, ({ data }) => void events.push(`note ${data}`));
	const { connect, log, provider } = await serveGuarded(router, {
		handlers: {
			async open() {
				await gate.promise;
				events.push('opened');
			},
			close: () => void events.push('closed'),
		},
	});
	const client = await connect();
	sendTyped(client, '@auth', 'token', 'a');
	sendTyped(client, 'note', 1);
	await allReceived(client);
	await client.close();
	await until(() => provider.getConnectionCount() === 0, { what: 'it has closed' });
	gate.resolve();
	await until(() => events.length === 3, { what: 'everything has been called' });
	expect(events).toEqual(['opened', 'note 1', 'closed']);
	expect(log.errors).toEqual([]);
});

it('a plain client does not wait for open', async () => {
	const sockets: AppSocket[] = [];
	const received: unknown[] = [];
	const { connectPlain } = await serveGuarded(
		new SocketRouter().guard((ctx) => ctx.subscribe('by-guard').then(() => true)),
		{
			handlers: {
				open(ws) {
					sockets.push(ws);
					return new Promise(() => {});
				},
				message: (_ws, message) => void received.push(message),
			},
		},
	);
	const client = await connectPlain();
	client.send('text');
	await until(() => received.length === 1, { what: 'it is handled' });
	expect([...(sockets[0]?.data.topics ?? [])]).toEqual(['by-guard']);
	expect(client.messages).toEqual([]);
});

it('a server that stops lets open finish, and answers', async () => {
	const gate = Promise.withResolvers<void>();
	const { app, connect, provider } = await serveGuarded(
		new SocketRouter().authenticate(() => true),
		{
			handlers: { open: () => gate.promise },
		},
	);
	const client = await connect();
	sendTyped(client, '@auth', 'token', 'a');
	await until(() => provider.getConnectionCount() === 1, { what: 'it is opening' });
	sendTyped(client, 'state', null, 'b');
	await allReceived(client);
	const stopped = app.stop();
	await Bun.sleep(20);
	gate.resolve();
	await stopped;
	expect(await client.closed).toMatchObject({ code: 1012 });
	expect(answersOf(client).map(([id]) => id)).toContain('b');
});

it('a client is told what open has subscribed it to in the packet of the handshake', async () => {
	const open = async (ws: AppSocket): Promise<void> => {
		await ws.subscribe('lobby');
	};
	const { port } = await serve(new Application().websocket().onWebSocket({ open }));
	for (let n = 0; n < 20; n++) {
		const client = await connectRaw(port);
		client.write(`${HANDSHAKE}Sec-WebSocket-Protocol: orijs.1\r\n\r\n`);
		await client.seen('@subscribed');
		expect(client.chunks.map((chunk) => chunk.slice(0, 12))).toEqual(['HTTP/1.1 101']);
	}
});
