import { scratchDir, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { SocketData } from '../index.ts';
import { openCluster, openPair } from '../test-support/open-nodes.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';

/** What all nodes say if each of them has answered. */
const all = (nodes: number, sockets: number): object => ({ nodes, answered: nodes, unanswered: [], sockets });

function framesOf(member: Member): unknown[] {
	return messagesOf(member).map((text) => JSON.parse(text as string) as unknown);
}

async function openThree(): Promise<readonly [TestNode, TestNode, TestNode]> {
	return (await openCluster(3)).nodes as [TestNode, TestNode, TestNode];
}

describe('cluster.subscribe', () => {
	it('subscribes a socket of another node, which receives what is published afterwards', async () => {
		const [here, there] = await openPair({ subprotocol: '' });
		const member = await there.connect();
		for (let i = 0; i < 20; i++) {
			expect(await here.provider.cluster.subscribe({ socketId: member.id }, `t${i}`)).toEqual(all(2, 1));
			await here.provider.publish(`t${i}`, String(i));
		}
		await there.settled(member);

		expect(messagesOf(member)).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
		expect([...here.log.problems, ...there.log.problems]).toEqual([]);
	});

	it('tells a client that speaks the protocol, and counts a socket that is subscribed already', async () => {
		const [here, there] = await openPair();
		const member = await there.connect({ topics: new Set(['t']) });
		expect(await here.provider.cluster.subscribe({ socketId: member.id }, 't')).toEqual(all(2, 1));
		await there.settled(member);

		expect(framesOf(member)).toMatchObject([{ type: '@subscribed', data: { topics: [{ topic: 't' }] } }]);
	});

	it('on a topic with history, without the past if asked', async () => {
		const [here, there] = await openPair({ history: { 'h:*': { size: 10, ttlMs: 60_000 } } });
		const member = await there.connect();
		await here.provider.publish('h:1', 'earlier');
		expect(await here.provider.cluster.subscribe({ socketId: member.id }, 'h:1', { past: false })).toEqual(all(2, 1));
		await here.provider.publish('h:1', 'later');
		await until(() => messagesOf(member).length === 2, { what: 'the message has arrived' });

		expect(framesOf(member)).toMatchObject([{ type: '@subscribed' }, { data: 'later' }]);
		expect(there.provider.isWithoutPast(member.id, 'h:1')).toBe(true);
	});
});

describe('cluster.unsubscribe', () => {
	it('unsubscribes a socket of another node and tells its client why', async () => {
		const [here, there] = await openPair();
		const member = await there.connect({ topics: new Set(['t']) });
		const why = { code: 'kicked', message: 'Out' };
		expect(await here.provider.cluster.unsubscribe({ socketId: member.id }, 't', why)).toEqual(all(2, 1));
		await here.provider.publish('t', 'too late');
		await there.settled(member);

		expect(framesOf(member)).toEqual([{ type: '@unsubscribed', data: { topics: [{ topic: 't', ...why }] } }]);
		expect(there.provider.getTopicSubscriberCount('t')).toBe(0);
	});

	it('counts only sockets that were subscribed', async () => {
		const [here, there] = await openPair();
		await here.connect({ userId: '42' });
		await there.connect({ userId: '42', topics: new Set(['t']) });

		expect(await here.provider.cluster.unsubscribe({ userId: '42' }, 't')).toEqual(all(2, 1));
		expect(await here.provider.cluster.unsubscribe({ userId: '42' }, 't')).toEqual(all(2, 0));
	});
});

describe('the target of an action', () => {
	it('is a socket, a user, a topic or all, on every node', async () => {
		const [a, b, c] = await openThree();
		const members = [
			await a.connect({ userId: '42', topics: new Set(['t']) }),
			await b.connect({ userId: '42' }),
			await b.connect({ userId: '7', topics: new Set(['t']) }),
			await c.connect(),
		];
		const { cluster } = a.provider;
		expect(await cluster.subscribe({ socketId: members[3]?.id as string }, 'socket')).toEqual(all(3, 1));
		expect(await cluster.subscribe({ userId: '42' }, 'user')).toEqual(all(3, 2));
		expect(await cluster.subscribe({ topic: 't' }, 'topic')).toEqual(all(3, 2));
		expect(await cluster.subscribe('all', 'all')).toEqual(all(3, 4));

		expect(members.map(({ ws }) => [...ws.data.topics])).toEqual([
			['t', 'user', 'topic', 'all'],
			['user', 'all'],
			['t', 'topic', 'all'],
			['socket', 'all'],
		]);
	});

	it('may match no socket', async () => {
		const [a] = await openThree();
		const { cluster } = a.provider;
		for (const target of [{ socketId: crypto.randomUUID() }, { userId: 'x' }, { topic: 'x' }, 'all'] as const) {
			expect(await cluster.subscribe(target, 't')).toEqual(all(3, 0));
			expect(await cluster.unsubscribe(target, 't')).toEqual(all(3, 0));
			expect(await cluster.disconnect(target)).toEqual(all(3, 0));
			expect(await cluster.reauthorize(target)).toEqual({ ...all(3, 0), asked: 0, left: 0 });
			expect(await cluster.connections(target)).toEqual({ ...all(3, 0), connections: [], hasMore: false });
		}
	});

	it('leaves out the excepted sockets', async () => {
		const [here, there] = await openPair();
		const members = [await here.connect(), await there.connect(), await there.connect()];
		const [first = '', second = '', third = ''] = members.map(({ id }) => id);
		const { cluster } = here.provider;
		expect(await cluster.subscribe('all', 'one', { except: second })).toEqual(all(2, 2));
		expect(await cluster.subscribe('all', 'two', { except: [first, third] })).toEqual(all(2, 1));
		expect(await cluster.subscribe({ socketId: first }, 'none', { except: first })).toEqual(all(2, 0));

		expect(members.map(({ ws }) => [...ws.data.topics])).toEqual([['one'], ['two'], ['one']]);
	});

	it('no longer includes sockets of a user that have left', async () => {
		const [here, there] = await openPair();
		const [stays, leaves] = [await there.connect({ userId: '42' }), await there.connect({ userId: '42' })];
		await leaves.client.close();
		await until(() => !there.provider.isConnected(leaves.id), { what: 'it has left' });
		expect(await here.provider.cluster.subscribe({ userId: '42' }, 't')).toEqual(all(2, 1));
		await stays.client.close();
		await until(() => !there.provider.isConnected(stays.id), { what: 'both have left' });

		expect(await here.provider.cluster.subscribe({ userId: '42' }, 't')).toEqual(all(2, 0));
	});

	it('may be changed after the call', async () => {
		const [here, there] = await openPair();
		const member = await there.connect({ userId: '42' });
		const target = { userId: '42' };
		const subscribing = here.provider.cluster.subscribe(target, 't');
		target.userId = '7';
		await subscribing;

		expect([...member.ws.data.topics]).toEqual(['t']);
	});
});

describe('cluster.connections', () => {
	it('describes the connections of all nodes', async () => {
		const [here, there] = await openPair();
		const before = Date.now();
		const own = await here.connect({ userId: '42', topics: new Set(['a', 'b']) });
		const other = await there.connect({ subprotocol: undefined, connectedAt: 1_700_000_000_000 });
		const { connections, ...result } = await here.provider.cluster.connections('all');

		expect(result).toEqual({ ...all(2, 2), hasMore: false });
		expect(connections).toEqual([
			{
				socketId: own.id,
				userId: '42',
				nodeId: here.provider.nodeId,
				connectedAt: expect.any(Number),
				address: expect.stringMatching(/127\.0\.0\.1|::1/),
				topics: ['a', 'b'],
				topicCount: 2,
				isSpeaker: true,
			},
			{
				socketId: other.id,
				nodeId: there.provider.nodeId,
				connectedAt: 1_700_000_000_000,
				address: expect.any(String),
				topics: [],
				topicCount: 0,
				isSpeaker: false,
			},
		]);
		const since = connections[0]?.connectedAt ?? 0;
		expect(since >= before && since <= Date.now()).toBe(true);
	});

	it('returns at most as many as asked, and says whether there are more', async () => {
		const [here, there] = await openPair();
		for (const node of [here, there, there]) await node.connect();
		const { cluster } = here.provider;
		const two = await cluster.connections('all', { limit: 2 });
		expect([two.connections.length, two.sockets, two.hasMore]).toEqual([2, 3, true]);
		const three = await cluster.connections('all', { limit: 3 });
		expect([three.connections.length, three.sockets, three.hasMore]).toEqual([3, 3, false]);
	});

	it('lists 100 of the topics of a connection', async () => {
		const node = await openNode();
		await node.connect({ topics: new Set(Array.from({ length: 150 }, (_, i) => `t${i}`)) });
		const [info] = (await node.provider.cluster.connections('all')).connections;

		expect([info?.topics.length, info?.topicCount]).toEqual([100, 150]);
	});

	it('lists clients of a Unix socket, which have no address', async () => {
		const [here, there] = await openPair();
		const dir = scratchDir('orijs-unix-');
		const server = Bun.serve<SocketData>({
			unix: `${dir.path}/s`,
			fetch(req, self) {
				const data = { socketId: crypto.randomUUID(), data: {}, topics: new Set<string>() };
				return self.upgrade(req, { data }) ? undefined : new Response('not a WebSocket', { status: 426 });
			},
			websocket: { open: (ws) => void there.provider.addConnection(ws), message() {} },
		});
		onTestFinished(async () => {
			await server.stop(true);
			dir.remove();
		});
		const client = new WebSocket(`ws+unix://${dir.path}/s`);
		onTestFinished(() => client.close());
		await until(() => there.provider.getConnectionCount() === 1, { what: 'it is connected' });
		const { connections, hasMore } = await here.provider.cluster.connections('all');

		expect([connections.map(({ address }) => address), hasMore]).toEqual([['unix'], false]);
	});

	it('asks the server for the address', async () => {
		const node = await openNode({ setServer: false });
		const known = await node.connect();
		await node.connect();
		node.provider.setServer(node.server, {
			addressOf: ({ data }) => (data.socketId === known.id ? '192.0.2.1' : undefined),
		});
		const { connections } = await node.provider.cluster.connections('all');

		expect(connections.map(({ address }) => address)).toEqual(['192.0.2.1', expect.stringMatching(/127|::1/)]);
	});
});

describe('counts', () => {
	it('are those of all nodes', async () => {
		const [a, b, c] = await openThree();
		for (const node of [a, b, b]) await node.connect({ topics: new Set(['t']) });
		await c.connect();
		const { cluster } = a.provider;
		const complete = { nodes: 3, answered: 3, unanswered: [], isPartial: false };

		expect(await cluster.subscriberCount('t')).toEqual({ ...complete, count: 3 });
		expect(await cluster.subscriberCount('other')).toEqual({ ...complete, count: 0 });
		await expect.poll(() => cluster.connectionCount()).toEqual({ ...complete, count: 4 });
	});
});

describe('cluster.reauthorize', () => {
	it('asks those who decide, on every node, about the sockets of the target', async () => {
		const [here, there] = await openPair();
		const members = [
			await here.connect({ userId: '42' }),
			await there.connect({ userId: '42' }),
			await there.connect(),
		];
		const asked: [string[], string | undefined][] = [];
		for (const { provider } of [here, there]) {
			provider.onReauthorize(async (sockets, topic) => {
				asked.push([sockets.map(({ data }) => data.socketId), topic]);
				return { asked: sockets.length * 2, left: 1 };
			});
		}
		const undo = there.provider.onReauthorize(async () => ({ asked: 100, left: 0 }));
		const { cluster } = here.provider;
		expect(await cluster.reauthorize({ userId: '42' }, 't')).toEqual({ ...all(2, 2), asked: 104, left: 2 });
		undo();
		undo();
		expect(await cluster.reauthorize('all')).toEqual({ ...all(2, 3), asked: 6, left: 2 });

		const [a, b, c] = members.map(({ id }) => id);
		expect(asked).toEqual([
			[[a], 't'],
			[[b], 't'],
			[[a], undefined],
			[[b, c], undefined],
		]);
	});

	it('names a node on which that failed, which logs it', async () => {
		const [here, there] = await openPair();
		there.provider.onReauthorize(() => {
			throw new Error('no database');
		});
		const result = await here.provider.cluster.reauthorize('all');

		expect(result).toMatchObject({ nodes: 2, answered: 1, unanswered: [there.provider.nodeId] });
		expect(there.log.problems).toMatchObject([{ message: 'WebSocket failure (onReauthorize): no database' }]);
		expect(here.log.problems).toEqual([]);
	});
});

describe('without other nodes', () => {
	it('actions are done on this one, before the call returns', async () => {
		for (const node of [await openNode(), await openNode({ bus: (await openCluster(0)).backend.createBus() })]) {
			const { cluster } = node.provider;
			const member = await node.connect({ userId: '42' });
			const subscribing = cluster.subscribe({ userId: '42' }, 't');
			expect([...member.ws.data.topics]).toEqual(['t']);
			expect(await subscribing).toEqual(all(1, 1));
			const unsubscribing = cluster.unsubscribe({ topic: 't' }, 't');
			expect([...member.ws.data.topics]).toEqual([]);
			expect(await unsubscribing).toEqual(all(1, 1));
			const disconnecting = cluster.disconnect('all');
			expect(node.provider.isConnected(member.id)).toBe(false);
			expect(await disconnecting).toEqual(all(1, 1));
			expect(cluster.nodes()).toMatchObject([{ id: node.provider.nodeId, isSelf: true }]);
		}
	});
});
