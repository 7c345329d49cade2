import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, ApplicationError, type AppSocket, SocketProtocol, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { noticesOf, request, serveRights } from '../test-support/rights-server.ts';
import { ACCEPTED } from '../test-support/typed-client.ts';

const Hello = SocketMessage.define({ name: 'hello', data: z.string() });
const yes = { subscribe: () => true };

/** A router that records what its hooks are called with. */
function recorded(events: string[] = []) {
	const router = new SocketRouter()
		.onOpen((ctx) => void events.push(`open, in ${[...ctx.topics].join() || 'nothing'}`))
		.onSubscribe((_, topic) => void events.push(`+${topic}`))
		.onUnsubscribe((_, topic, { by, code, message }) => void events.push(`-${topic} by ${by}: ${code}, ${message}`))
		.onClose((_, { code, topics }) => void events.push(`close ${code}, was in ${[...topics].join() || 'nothing'}`));
	return { events, router };
}

describe('hooks', () => {
	it('run once for each event, in order, for changes by the client and by the server', async () => {
		const { events, router } = recorded();
		router.guard(async (ctx) => {
			await ctx.subscribe('guarded');
			return true;
		});
		const { app, connect } = await serveRights(yes, { router });
		const { client, ws } = await connect();
		await request(client, '@subscribe', { topics: ['a', 'log:b'] });
		await request(client, '@subscribe', { topic: 'a' });
		await ws.subscribe('a');
		await ws.subscribe('c');
		await request(client, '@unsubscribe', { topic: 'log:b' });
		await request(client, '@unsubscribe', { topic: 'log:b' });
		await ws.unsubscribe('c', { code: 'kicked', message: 'Bye' });
		await ws.unsubscribe('c');
		await client.close(4000);
		await until(() => app.socket.getConnectionCount() === 0, { what: 'the connection has ended' });
		expect(events).toEqual([
			'open, in guarded',
			'+guarded',
			'+a',
			'+log:b',
			'+c',
			'-log:b by client: unsubscribed, The client has unsubscribed from log:b',
			'-c by server: kicked, Bye',
			'-guarded by closed: disconnected, The connection has ended',
			'-a by closed: disconnected, The connection has ended',
			'close 4000, was in guarded,a',
		]);
	});

	it('run in order, onOpen first, if the open handler closes the connection', async () => {
		const { events, router } = recorded();
		const app = new Application({ logger: new RecordingLogger() })
			.websocket()
			.socketRouter(router)
			.onWebSocket({
				open(ws) {
					void ws.subscribe('a');
					ws.close(4000);
				},
			});
		const client = await connectSpeaker((await serve(app)).ws);
		await client.closed;
		await until(() => events.length === 4, { what: 'all hooks have run' });
		expect(events.map((event) => event.split(/[ ,:]/)[0])).toEqual(['open', '+a', '-a', 'close']);
	});

	it('of all routers run, one at a time; a slow one delays the next ones of its connection only', async () => {
		const { events, router } = recorded();
		const gate = Promise.withResolvers<void>();
		const other = new SocketRouter().onSubscribe(async (_, topic) => {
			if (topic === 'slow') await gate.promise;
			events.push(`second +${topic}`);
		});
		const { connect } = await serveRights(yes, { router, other });
		const [{ client }, neighbour] = [await connect(), await connect()];
		events.length = 0;
		expect(await request(client, '@subscribe', { topics: ['slow', 'next'] })).toEqual({ ...ACCEPTED, refused: [] });
		await request(neighbour.client, '@subscribe', { topic: 'a' });
		expect(events).toEqual(['+slow', '+a', 'second +a']);
		gate.resolve();
		await until(() => events.length === 6, { what: 'the others run' });
		expect(events.slice(3)).toEqual(['second +slow', '+next', 'second +next']);
	});

	it('with what fails: it is logged, and the others run', async () => {
		const events: string[] = [];
		const router = new SocketRouter()
			.onOpen(() => {
				throw new Error('open');
			})
			.onSubscribe(() => Promise.reject(new Error('subscribe')))
			.onUnsubscribe(() => {
				throw new Error('unsubscribe');
			})
			.onClose(() => Promise.reject(new Error('close')))
			.onOpen(() => void events.push('open'))
			.onSubscribe(() => void events.push('subscribe'))
			.onUnsubscribe(() => void events.push('unsubscribe'))
			.onClose(() => void events.push('close'));
		const { connect, log } = await serveRights(yes, { router });
		const { client } = await connect();
		expect(await request(client, '@subscribe', { topic: 't' })).toEqual(ACCEPTED);
		await client.close();
		await until(() => events.length === 4, { what: 'all hooks have run' });
		expect(events).toEqual(['open', 'subscribe', 'unsubscribe', 'close']);
		expect(log.errors.map(({ message }) => message)).toEqual([
			'onOpen failed',
			'onSubscribe failed',
			'onUnsubscribe failed',
			'onClose failed',
		]);
	});

	it('that never end are no longer awaited after limits.handlerTimeoutMs', async () => {
		const events: string[] = [];
		const router = new SocketRouter()
			.onSubscribe((_, topic) => {
				events.push(topic);
				return topic === 'hangs' ? new Promise(() => {}) : undefined;
			})
			.onClose(() => void events.push('close'));
		const { app, connect } = await serveRights(yes, { router, limits: { handlerTimeoutMs: 50 } });
		const { client } = await connect();
		await request(client, '@subscribe', { topics: ['hangs', 'next'] });
		await client.close();
		await until(() => events.length === 3, { what: 'the others have run' });
		expect([events, app.refusals.handlerTimeout]).toEqual([['hangs', 'next', 'close'], 1]);
	});

	it('may subscribe, send and read the state; what they subscribe to in onOpen is in place before the client is ready', async () => {
		const seen: unknown[] = [];
		const router = new SocketRouter<{ name: string }>()
			.guard((ctx) => {
				ctx.state.name = 'Ada';
				return true;
			})
			.onOpen(async (ctx) => {
				await ctx.subscribe(`user:${ctx.state.name}`);
				await ctx.send(Hello, ctx.userId ?? '');
				seen.push(ctx.data, ctx.socketId === ctx.ws.data.socketId, [...ctx.topics]);
			})
			.onSubscribe((ctx, topic) =>
				topic === 'a' ? ctx.unsubscribe('a', { code: 'full', message: 'Full' }) : undefined,
			);
		const { connect } = await serveRights(yes, { router: router as unknown as SocketRouter, userId: 'ada' });
		const { client, ws } = await connect();
		expect([...ws.data.topics]).toEqual(['user:Ada']);
		expect(noticesOf(client, '@subscribed')).toEqual([{ topic: 'user:Ada' }]);
		expect(seen).toEqual([{}, true, ['user:Ada']]);
		expect(await request(client, '@subscribe', { topic: 'a' })).toEqual({ code: 'full', message: 'Full' });
	});

	it('are not called for connections whose guards refuse', async () => {
		const { events, router } = recorded();
		router.guard(async (ctx) => {
			await ctx.subscribe('t');
			return false;
		});
		const { app, connect } = await serveRights(yes, { router });
		await connect().catch(() => {});
		await until(() => app.refusals.guard === 1, { what: 'the connection is refused' });
		expect(events).toEqual([]);
	});

	it('are not called for other endpoints with the same provider', async () => {
		const { events, router } = recorded();
		const opened: AppSocket[] = [];
		const app = new Application({ logger: new RecordingLogger() }).websocket().socketRouter(router);
		app.endpoint('/other').onWebSocket({ open: (ws) => void opened.push(ws) });
		const { port } = await serve(app);
		const client = await connectSpeaker(`ws://localhost:${port}/other`);
		await until(() => opened.length === 1, { what: 'the connection is open' });
		await opened[0]?.subscribe('t');
		await opened[0]?.unsubscribe('t');
		await client.close();
		await until(() => app.socket.getConnectionCount() === 0, { what: 'the connection has ended' });
		expect(events).toEqual([]);
	});

	it('see what the backend refuses as unsubscribed', async () => {
		const { events, router } = recorded();
		const { connect, refuseTopics } = await serveRights(yes, { router });
		const { client } = await connect();
		refuseTopics();
		expect(await request(client, '@subscribe', { topic: 't' })).toMatchObject({ code: 'unavailable' });
		expect(events.slice(1)).toEqual(['+t', expect.stringMatching(/^-t by server: unavailable, /)]);
	});

	it('that are behind keep a client from causing more', async () => {
		const gate = Promise.withResolvers<void>();
		const called: string[] = [];
		const router = new SocketRouter().onSubscribe(async (_, topic) => {
			called.push(topic);
			await gate.promise;
		});
		const { app, connect } = await serveRights(yes, { router, limits: { queuedMessages: 4 } });
		const { client } = await connect();
		const topics = Array.from({ length: 10 }, (_, i) => `t:${i}`);
		await request(client, '@subscribe', { topics });
		expect(await request(client, '@subscribe', { topic: 'more' })).toEqual({
			code: 'too_many_requests',
			message: 'The server is still handling earlier changes of your subscriptions',
		});
		gate.resolve();
		await until(() => called.length === 10, { what: 'all have run' });
		await until(async () => (await request(client, '@subscribe', { topic: 'more' })) !== undefined, {
			what: 'it goes on',
		});
		expect(app.refusals.requests).toBeGreaterThan(0);
	});

	it('are awaited by stop()', async () => {
		const events: string[] = [];
		const router = new SocketRouter().onClose(async () => {
			await new Promise((resolve) => setTimeout(resolve, 50));
			events.push('closed');
		});
		const { app, connect } = await serveRights(yes, { router });
		await connect();
		await app.stop();
		expect(events).toEqual(['closed']);
	});
});

it.each(['onOpen', 'onClose', 'onSubscribe', 'onUnsubscribe'] as const)(
	'%s takes a function, before the start',
	async (hook) => {
		const router = new SocketRouter();
		expect(() => router[hook]('no' as never)).toThrow(`${hook}(): hook must be a function, not "no"`);
		await serveRights({}, { router });
		expect(() => router[hook](() => {})).toThrow(ApplicationError);
	},
);

it('SocketProtocol refuses routers with hooks', () => {
	const routers = [new SocketRouter().onOpen(() => {})];
	expect(() => new SocketProtocol(new InProcWsProvider(), { routers })).toThrow(
		'a router has hooks (onOpen, onClose, onSubscribe or onUnsubscribe), which need a SocketEndpoint',
	);
});
