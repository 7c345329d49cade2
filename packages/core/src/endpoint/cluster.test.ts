import { type TestClient, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError, SocketEndpoint, SocketRouter } from '../index.ts';
import { type ClusterNode, clusterNodes } from '../test-support/cluster-nodes.ts';
import { serve } from '../test-support/serve.ts';
import { serveWired } from '../test-support/serve-wired.ts';
import { noticesOf, request } from '../test-support/rights-server.ts';
import { parse } from '../test-support/typed-client.ts';

const BANNED = { code: 'banned', message: 'You were banned', reconnect: false };

/** What a client was told before its connection was closed. */
const toldTo = (client: TestClient): unknown[] =>
	client.texts
		.filter((text) => text.startsWith('{'))
		.map(parse)
		.filter(({ type }) => type === '@disconnected')
		.map(({ data }) => data);

const opened = (nodes: readonly ClusterNode[], count: number): Promise<void> =>
	until(() => nodes.reduce((sum, { provider }) => sum + provider.getConnectionCount(), 0) === count, {
		what: `${count} connections are open`,
	});

/** The times at which connections begin, and actions arrive, are whole milliseconds. */
function nextMillisecond(): Promise<void> {
	const now = Date.now();
	return until(() => Date.now() > now, { what: 'the next millisecond' });
}

describe('app.cluster.disconnect', () => {
	it('meets the sockets of a user on all nodes: those that speak the protocol are told why', async () => {
		const nodes = await clusterNodes();
		const [here, there] = nodes;
		const clients = [
			await here.speaker('ada'),
			await there.speaker('ada'),
			await there.plain('ada'),
			await there.speaker('bob'),
		];
		await opened(nodes, 4);

		expect(await here.app.cluster.disconnect({ userId: 'ada' }, BANNED)).toEqual({
			nodes: 2,
			answered: 2,
			unanswered: [],
			sockets: 3,
		});
		const met = clients.slice(0, 3);
		expect(await Promise.all(met.map(({ closed }) => closed))).toEqual(
			met.map(() => ({ code: 4403, reason: 'banned' })),
		);
		expect(clients.map(toldTo)).toEqual([[BANNED], [BANNED], [], []]);
		expect(clients[2]?.messages).toEqual([]);
		await opened(nodes, 1);
	});

	it('without more, lets clients come back at a random time', async () => {
		const nodes = await clusterNodes();
		const client = await nodes[1].speaker('ada');
		await opened(nodes, 1);
		await nodes[0].app.cluster.disconnect('all');
		const { code, reason } = await client.closed;
		expect([code, reason]).toEqual([4503, expect.stringMatching(/^disconnected; retry-after-ms=\d+$/)]);
		expect(toldTo(client)).toEqual([{ code: 'disconnected', message: expect.any(String) as string, reconnect: true }]);
	});

	it('ends a connection like any other: its hooks and its close handler run', async () => {
		const events: string[] = [];
		const nodes = await clusterNodes({
			routers: () => [
				new SocketRouter()
					.onOpen(() => void events.push('onOpen'))
					.onClose((_, { code, reason }) => void events.push(`onClose ${code} ${reason}`)),
			],
			handlers: { close: (_, code, reason) => void events.push(`close ${code} ${reason}`) },
		});
		await nodes[1].speaker('ada');
		await opened(nodes, 1);
		await nodes[0].app.cluster.disconnect({ userId: 'ada' }, BANNED);
		await until(() => events.length === 3, { what: 'all have run' });
		expect(events).toEqual(['onOpen', 'close 4403 banned', 'onClose 4403 banned']);
		expect(nodes[1].log.errors).toEqual([]);
	});

	it('meets a connection that is still opening', async () => {
		const gate = Promise.withResolvers<void>();
		const events: string[] = [];
		const nodes = await clusterNodes({
			routers: () => [new SocketRouter().onClose(() => void events.push('onClose'))],
			handlers: {
				async open(ws) {
					events.push('open');
					await gate.promise;
					await ws.subscribe('late');
				},
			},
		});
		const [here, there] = nodes;
		const client = await there.speaker('ada');
		await until(() => events.length === 1, { what: 'the open handler runs' });
		expect(await here.app.cluster.disconnect({ userId: 'ada' }, BANNED)).toMatchObject({ sockets: 1 });
		expect(await client.closed).toEqual({ code: 4403, reason: 'banned' });
		gate.resolve();
		await until(() => events.length === 2, { what: 'onClose has run' });
		expect([toldTo(client), there.provider.getTopicCount(), there.log.errors]).toEqual([[BANNED], 0, []]);
	});
});

describe('an action on a user', () => {
	/** Nodes with a guard that passes when it is let through. */
	async function guarded(topic?: string) {
		const events: string[] = [];
		const waiting: (() => void)[] = [];
		const nodes = await clusterNodes({
			routers: () => [
				new SocketRouter()
					.guard(async (ctx) => {
						if (topic !== undefined) await ctx.subscribe(topic);
						await new Promise<void>((resolve) => waiting.push(resolve));
						return true;
					})
					.onOpen(() => void events.push('onOpen'))
					.onClose(() => void events.push('onClose')),
			],
			handlers: { open: () => void events.push('open'), close: () => void events.push('close') },
		});
		return {
			nodes,
			events,
			inGuards: (count: number) => until(() => waiting.length === count, { what: 'clients are in their guards' }),
			letThrough: () => {
				for (const resolve of waiting.splice(0)) resolve();
			},
		};
	}

	it('meets clients that are in their guards, as soon as these have passed: nothing of the application runs for them', async () => {
		const { nodes, events, inGuards, letThrough } = await guarded();
		const [here, there] = nodes;
		const clients = [await there.speaker('ada'), await here.plain('ada'), await there.speaker('bob')];
		await inGuards(3);
		expect(await here.app.cluster.disconnect({ userId: 'ada' }, BANNED)).toMatchObject({ answered: 2, sockets: 0 });
		letThrough();

		for (const client of clients.slice(0, 2)) expect(await client.closed).toEqual({ code: 4403, reason: 'banned' });
		expect(clients.map(toldTo)).toEqual([[BANNED], [], []]);
		// Those of the third client.
		expect(events).toEqual(['open', 'onOpen']);
		await opened(nodes, 1);
		expect(nodes.flatMap(({ log, app }) => [log.errors, app.refusals.guard])).toEqual([[], 0, [], 0]);
		await here.app.stop();
		expect(events).toHaveLength(2);
	});

	it('does not meet clients that connect after it', async () => {
		const { nodes, inGuards, letThrough } = await guarded();
		const [here, there] = nodes;
		await here.app.cluster.disconnect({ userId: 'ada' }, BANNED);
		await nextMillisecond();
		const client = await there.speaker('ada');
		await inGuards(1);
		letThrough();
		await opened(nodes, 1);
		expect(await request(client, '@ping')).toBeDefined();
		expect(toldTo(client)).toEqual([]);
	});

	it('meets clients whose upgrade was being decided', async () => {
		const gate = Promise.withResolvers<void>();
		let asked = 0;
		const [here, there] = await clusterNodes({
			upgrading: () => {
				asked++;
				return gate.promise;
			},
		});
		const connecting = there.speaker('ada');
		await until(() => asked === 1, { what: 'upgrade is asked' });
		await here.app.cluster.disconnect({ userId: 'ada' }, BANNED);
		gate.resolve();
		const client = await connecting;
		expect(await client.closed).toEqual({ code: 4403, reason: 'banned' });
		expect(toldTo(client)).toEqual([BANNED]);
	});

	it('meets exactly the clients that came before it, whatever their guards take', async () => {
		const nodes = await clusterNodes({
			routers: () => [
				new SocketRouter().guard(async () => {
					await Bun.sleep(Math.random() * 40);
					return true;
				}),
			],
		});
		const connect = (): Promise<TestClient[]> =>
			Promise.all(Array.from({ length: 40 }, (_, i) => nodes[i % 2 === 0 ? 0 : 1].speaker('ada')));
		// Some are in their guards, others have passed them.
		const early = await connect();
		await nodes[0].app.cluster.disconnect({ userId: 'ada' }, BANNED);
		await nextMillisecond();
		const late = await connect();
		for (const client of early) expect(await client.closed).toEqual({ code: 4403, reason: 'banned' });
		for (const client of late) expect(await request(client, '@auth')).toHaveProperty('socketId');
		expect(early.map(toldTo)).toEqual(early.map(() => [BANNED]));
		expect(late.flatMap(toldTo)).toEqual([]);
	});

	it('drops what clients have sent that are in their guards, and frees their places', async () => {
		const gate = Promise.withResolvers<boolean>();
		const handled: string[] = [];
		const nodes = await clusterNodes({
			limits: { connections: 2 },
			routers: () => [
				new SocketRouter().guard(async (ctx) => {
					await ctx.subscribe('room');
					return gate.promise;
				}),
			],
			handlers: { message: (_, message) => void handled.push(String(message)) },
		});
		const [here, there] = nodes;
		const clients = [await there.plain('ada'), await there.speaker('ada')];
		for (const client of clients) client.send('hello');
		await here.app.cluster.disconnect({ userId: 'ada' }, BANNED);
		gate.resolve(true);
		for (const client of clients) expect(await client.closed).toEqual({ code: 4403, reason: 'banned' });
		expect(clients[1]?.texts.map(parse)).toEqual([{ type: '@disconnected', data: BANNED }]);

		// There is room for two others.
		await opened(nodes, 0);
		const others = [await there.plain('bob'), await there.plain('bob')];
		await opened(nodes, 2);
		await Promise.all(others.map((other) => other.close()));
		await opened(nodes, 0);
		expect([handled, there.provider.getTopicCount(), there.log.errors]).toEqual([[], 0, []]);
	});

	it('takes away what guards have decided before it', async () => {
		const { nodes, inGuards, letThrough } = await guarded('room');
		const [here, there] = nodes;
		const client = await there.speaker('ada');
		await inGuards(1);
		await here.app.cluster.unsubscribe({ userId: 'ada' }, 'room', { code: 'kicked', message: 'Be nice' });
		await here.app.cluster.subscribe({ userId: 'ada' }, 'lobby');
		letThrough();
		await until(() => there.provider.getTopicSubscriberCount('lobby') === 1, { what: 'the client is in the lobby' });
		expect(there.provider.getTopicSubscriberCount('room')).toBe(0);
		await until(() => noticesOf(client, '@unsubscribed').length === 1, { what: 'the client is told' });
		expect(noticesOf(client, '@unsubscribed')).toEqual([{ topic: 'room', code: 'kicked', message: 'Be nice' }]);
	});
});

describe('app.cluster.unsubscribe', () => {
	it('has what clients ask for decided again, if it was just being decided', async () => {
		const members = new Set(['ada']);
		const gate = Promise.withResolvers<void>();
		let asked = 0;
		const nodes = await clusterNodes({
			authorize: {
				async subscribe(ws) {
					const isMember = members.has(ws.data.userId ?? '');
					if (++asked === 1) await gate.promise;
					return isMember;
				},
			},
		});
		const [here, there] = nodes;
		const client = await there.speaker('ada');
		const answer = request(client, '@subscribe', { topic: 'room' });
		await until(() => asked === 1, { what: 'the application is asked' });

		members.delete('ada');
		expect(await here.app.cluster.unsubscribe({ userId: 'ada' }, 'room')).toMatchObject({ answered: 2, sockets: 0 });
		gate.resolve();
		expect(await answer).toMatchObject({ code: 'forbidden' });
		expect([asked, there.provider.getTopicSubscriberCount('room')]).toEqual([2, 0]);
	});
});

describe('app.cluster.connections', () => {
	it('says where clients are connected, since when, from which address and in which topics', async () => {
		const nodes = await clusterNodes({ authorize: { subscribe: () => true } });
		const [here, there] = nodes;
		const before = Date.now();
		const client = await there.speaker('ada');
		await request(client, '@subscribe', { topic: 'news' });
		await here.plain('ada');
		await opened(nodes, 2);

		const { connections, ...result } = await here.app.cluster.connections({ userId: 'ada' });
		expect(result).toEqual({ nodes: 2, answered: 2, unanswered: [], sockets: 2, hasMore: false });
		const address = expect.stringMatching(/^(127\.0\.0\.1|::1|::ffff:127\.0\.0\.1)$/) as string;
		const common = { userId: 'ada', socketId: expect.any(String), connectedAt: expect.any(Number), address };
		expect(connections.toSorted((a, b) => a.topicCount - b.topicCount)).toEqual([
			{ ...common, nodeId: here.provider.nodeId, topics: [], topicCount: 0, isSpeaker: false },
			{ ...common, nodeId: there.provider.nodeId, topics: ['news'], topicCount: 1, isSpeaker: true },
		]);
		for (const { connectedAt } of connections) {
			expect(connectedAt).toBeGreaterThanOrEqual(before);
			expect(connectedAt).toBeLessThanOrEqual(Date.now());
		}
	});
});

describe('cluster', () => {
	it('is that of the provider; endpoints can have their own', async () => {
		const provider = new InProcWsProvider();
		const own = new InProcWsProvider();
		const app = new Application().websocket(provider);
		expect(app.cluster).toBe(provider.cluster);
		expect(app.endpoint('/shared').cluster).toBe(provider.cluster);
		expect(app.endpoint('/own', own).cluster).toBe(own.cluster);
		expect(new SocketEndpoint(own).cluster).toBe(own.cluster);
	});

	it('needs an endpoint', () => {
		expect(() => new Application().cluster).toThrow(ApplicationError);
	});

	it('keeps actions for the endpoint whose clients may take longest', async () => {
		const provider = new InProcWsProvider();
		const given: (number | undefined)[] = [];
		const { setServer } = provider;
		provider.setServer = (server, options) => {
			given.push(options?.guardTimeoutMs);
			setServer.call(provider, server, options);
		};
		const app = new Application().websocket(provider, { limits: { guardTimeoutMs: 3_000 } });
		app.endpoint('/slow', { limits: { guardTimeoutMs: 2_000 }, upgradeTimeoutMs: 7_000, upgrade: () => ({}) });
		await serve(app);
		// Both times, and the second that a process that has hung gets.
		expect(given).toEqual([10_000]);
	});

	it('meets the sockets of a SocketProtocol as well', async () => {
		const { provider, speaker, plain } = await serveWired();
		const clients = [await speaker(), await plain()];
		await until(() => provider.getConnectionCount() === 2, { what: 'both are connected' });
		expect(await provider.cluster.disconnect('all', BANNED)).toMatchObject({ answered: 1, sockets: 2 });
		for (const client of clients) expect(await client.closed).toEqual({ code: 4403, reason: 'banned' });
		expect(clients.map(toldTo)).toEqual([[BANNED], []]);
	});
});
