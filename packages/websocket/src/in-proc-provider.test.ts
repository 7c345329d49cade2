import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { createInProcWsProvider, InProcWsProvider, SocketCoordinator, UnknownSocketError } from './index.ts';
import { messagesOf, openNode } from './test-support/test-node.ts';

describe('a provider for one process', () => {
	it.each([
		['the server first, then start', { setServer: true, start: true }, 'neither'],
		['start first, then the server', { setServer: false, start: true }, 'server'],
		['the server first, start after the sockets', { setServer: true, start: false }, 'start'],
		['start only, and no server at all', { setServer: false, start: true }, 'neither'],
	] as const)('delivers the same with %s', async (_, options, later) => {
		const node = await openNode(options);
		const [one, two, three] = [
			await node.connect({ topics: new Set(['t']) }),
			await node.connect({ topics: new Set(['t']) }),
			await node.connect(),
		];
		if (later === 'server') node.provider.setServer(node.server);
		if (later === 'start') await node.provider.start();
		await node.provider.publish('t', 'published');
		await node.provider.send(three.id, 'sent');
		await node.provider.broadcast('broadcast');
		await node.provider.publishFrom(one.id, 't', 'from one');
		await Promise.all([one, two, three].map(node.settled));

		expect(messagesOf(one)).toEqual(['published', 'broadcast']);
		expect(messagesOf(two)).toEqual(['published', 'broadcast', 'from one']);
		expect(messagesOf(three)).toEqual(['sent', 'broadcast']);
		expect(node.log.problems).toEqual([]);
	});

	it('can be stopped twice and started again, and its sockets keep their topics', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		await node.provider.stop();
		await node.provider.stop();
		await node.provider.start();
		await node.provider.publish('t', 'again');
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['again']);
	});

	it('can be created by a function', () => {
		expect(createInProcWsProvider()).toBeInstanceOf(InProcWsProvider);
	});

	it('delivers a thousand messages of all kinds in the order they were published', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		const expected: string[] = [];
		for (let i = 0; i < 1_000; i++) {
			expected.push(String(i));
			if (i % 3 === 0) void node.provider.publish('t', String(i));
			else if (i % 3 === 1) void node.provider.send(member.id, String(i));
			else void node.provider.broadcast(String(i));
		}
		await node.settled(member);

		expect(messagesOf(member)).toEqual(expected);
	});
});

describe('a socket', () => {
	it('is subscribed to the topics listed in its data at the upgrade', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['a', 'b']) });
		await node.provider.publish('a', 'to a');
		await node.provider.publish('b', 'to b');
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['to a', 'to b']);
		expect([...member.ws.data.topics]).toEqual(['a', 'b']);
		expect([...node.coordinator.getTopicSubscribers('a')]).toEqual([member.id]);
	});

	it('has its current topics in its data', async () => {
		const node = await openNode();
		const { id, ws } = await node.connect();
		await node.coordinator.subscribeToTopic(id, 'a');
		await node.coordinator.subscribeToTopic(id, 'b');
		await node.coordinator.unsubscribeFromTopic(id, 'a');

		expect([...ws.data.topics]).toEqual(['b']);
	});

	it('that is added twice is connected once, and gets everything once', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		await node.coordinator.addConnection(member.ws);
		expect(node.provider.getConnectionCount()).toBe(1);
		await node.provider.publish('t', 'published');
		await node.provider.broadcast('broadcast');
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['published', 'broadcast']);
		expect(node.log.problems).toEqual([]);
		expect(node.coordinator.removeConnection(member.id)).toBe(true);
		expect([node.provider.getConnectionCount(), node.provider.getTopicCount()]).toEqual([0, 0]);
	});

	it('that subscribes twice is subscribed once, and no longer after unsubscribing once', async () => {
		const node = await openNode();
		const member = await node.connect();
		await node.coordinator.subscribeToTopic(member.id, 't');
		await node.coordinator.subscribeToTopic(member.id, 't');
		await node.provider.publish('t', 'once');
		await node.coordinator.unsubscribeFromTopic(member.id, 't');
		await node.provider.publish('t', 'never');
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['once']);
		expect(node.provider.getTopicCount()).toBe(0);
	});

	it('gets nothing of a topic once it has unsubscribed, while the others still do', async () => {
		const node = await openNode();
		const [leaver, stayer] = [
			await node.connect({ topics: new Set(['t', 'u']) }),
			await node.connect({ topics: new Set(['t']) }),
		];
		void node.provider.publish('t', '1');
		void node.coordinator.unsubscribeFromTopic(leaver.id, 't');
		void node.provider.publish('t', '2');
		void node.provider.publish('u', 'still here');
		await Promise.all([leaver, stayer].map(node.settled));

		expect(messagesOf(leaver)).toEqual(['1', 'still here']);
		expect(messagesOf(stayer)).toEqual(['1', '2']);
	});

	it('may unsubscribe from a topic it is not in', async () => {
		const node = await openNode();
		const { id } = await node.connect();
		await node.coordinator.unsubscribeFromTopic(id, 'never');

		expect(node.log.problems).toEqual([]);
	});

	it('cannot be unsubscribed once it has closed; this is not logged, because clients leave at any time', async () => {
		const node = await openNode();
		const { id, client } = await node.connect({ topics: new Set(['t']) });
		await client.close();
		await until(() => !node.provider.isConnected(id), { what: 'the node sees the close' });
		const refused = await node.coordinator.unsubscribeFromTopic(id, 't').catch((reason: unknown) => reason);

		expect(refused).toBeInstanceOf(UnknownSocketError);
		expect(refused).toMatchObject({ socketId: id });
		expect(node.log.problems).toEqual([]);
	});

	it('has its own topics even if all were upgraded with the same set', async () => {
		const node = await openNode();
		const topics = new Set<string>();
		const [one, two] = [await node.connect({ topics }), await node.connect({ topics })];
		await node.coordinator.subscribeToTopic(one.id, 't');
		await node.coordinator.subscribeToTopic(two.id, 't');
		await node.coordinator.subscribeToTopic(two.id, 'u');
		await node.provider.publish('t', 'to t');
		await node.provider.publish('u', 'to u');
		await Promise.all([one, two].map(node.settled));

		expect([messagesOf(one), messagesOf(two)]).toEqual([['to t'], ['to t', 'to u']]);
	});

	it('that is removed while open gets nothing more and is unknown from then on', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		expect(node.coordinator.removeConnection(member.id)).toBe(true);
		expect(node.coordinator.removeConnection(member.id)).toBe(false);
		await node.provider.publish('t', 'published');
		await node.provider.broadcast('broadcast');
		await expect(node.provider.send(member.id, 'sent')).rejects.toThrow(UnknownSocketError);
		await node.settled(member);

		expect(messagesOf(member)).toEqual([]);
		expect([...node.provider.getConnections()]).toEqual([]);
	});

	it('that publishes is left out, whether it is subscribed or not', async () => {
		const node = await openNode();
		const [inside, outside, other] = [
			await node.connect({ topics: new Set(['t']) }),
			await node.connect(),
			await node.connect({ topics: new Set(['t']) }),
		];
		await node.provider.publishFrom(inside.id, 't', 'from inside');
		await node.provider.publishFrom(outside.id, 't', 'from outside');
		await Promise.all([inside, outside, other].map(node.settled));

		expect(messagesOf(inside)).toEqual(['from outside']);
		expect(messagesOf(outside)).toEqual([]);
		expect(messagesOf(other)).toEqual(['from inside', 'from outside']);
	});

	it('may close while all are being closed', async () => {
		const node = await openNode();
		for (let i = 0; i < 5; i++) await node.connect({ topics: new Set(['t', `t${i}`]) });
		for (const socket of node.provider.getConnections()) socket.close(1001, 'bye');

		expect([node.provider.getConnectionCount(), node.provider.getTopicCount()]).toEqual([0, 0]);
	});

	it('that closed before it was added is not kept', async () => {
		const node = await openNode();
		const member = await node.connect({ topics: new Set(['t']) });
		member.ws.close();
		expect(node.provider.getConnectionCount()).toBe(0);
		// The socket is added late, as by an `open` handler that first awaits something.
		await node.coordinator.addConnection(member.ws).catch(() => {});

		expect(node.provider.isConnected(member.id)).toBe(false);
		expect([node.provider.getConnectionCount(), node.provider.getTopicCount()]).toEqual([0, 0]);
	});
});

describe('subscribers', () => {
	it('are a snapshot of the moment they were asked for', async () => {
		const node = await openNode();
		const { id } = await node.connect({ topics: new Set(['t']) });
		const before = node.coordinator.getTopicSubscribers('t');
		await node.coordinator.unsubscribeFromTopic(id, 't');

		expect([...before]).toEqual([id]);
		expect([...node.coordinator.getTopicSubscribers('t')]).toEqual([]);
	});

	it('are the same for two coordinators of one provider', async () => {
		const node = await openNode();
		const { id, ws } = await node.connect({ topics: new Set(['t']) });
		const second = new SocketCoordinator({ provider: node.provider });

		expect(second.getConnection(id)).toBe(ws);
		expect([...second.getTopicSubscribers('t')]).toEqual([id]);
		expect(second.getConnectionCount()).toBe(1);
	});
});
