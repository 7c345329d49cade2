import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { SocketMessage, UnknownSocketError } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { orderSchema } from '../test-support/schemas.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { WatchedBus } from '../test-support/watched-bus.ts';

interface Cluster {
	readonly backend: MemoryBackend;
	readonly a: TestNode;
	readonly b: TestNode;
	readonly busOfA: WatchedBus;
	readonly busOfB: WatchedBus;
}

async function openCluster(graceMs = 0): Promise<Cluster> {
	const backend = new MemoryBackend();
	const [busOfA, busOfB] = [new WatchedBus(backend.createBus()), new WatchedBus(backend.createBus())];
	const [a, b] = [await openNode({ bus: busOfA, graceMs }), await openNode({ bus: busOfB, graceMs })];
	return { backend, a, b, busOfA, busOfB };
}

/** Resolves once everything that the two nodes have sent so far has arrived, duplicates included. */
async function quiet({ a, b }: Cluster, ...members: Member[]): Promise<void> {
	for (const node of [a, b]) {
		await node.provider.broadcast('marker broadcast');
		await Promise.all(members.map(({ client }) => client.next((message) => message === 'marker broadcast')));
	}
}

describe('two nodes', () => {
	it('a node refuses to unsubscribe a socket of the other node, rather than doing nothing', async () => {
		const { a, b } = await openCluster();
		const member = await b.connect({ topics: new Set(['t']) });

		await expect(a.coordinator.unsubscribeFromTopic(member.id, 't')).rejects.toThrow(UnknownSocketError);
		await a.provider.publish('t', 'still subscribed');
		await b.settled(member);
		expect(messagesOf(member)).toEqual(['still subscribed']);
	});

	it('share a topic: each client in it gets each message exactly once', async () => {
		const cluster = await openCluster();
		const { a, b } = cluster;
		const topics = new Set(['t']);
		const inside = [
			await a.connect({ topics: new Set(topics) }),
			await a.connect({ topics: new Set(topics) }),
			await b.connect({ topics: new Set(topics) }),
			await b.connect({ topics: new Set(topics) }),
		];
		const outside = [await a.connect(), await b.connect({ topics: new Set(['other']) })];
		await a.provider.publish('t', 'from a');
		await b.provider.publish('t', new Uint8Array([1, 2]));
		await quiet(cluster, ...inside, ...outside);

		for (const member of inside) expect(messagesOf(member)).toEqual(['from a', new Uint8Array([1, 2])]);
		for (const member of outside) expect(messagesOf(member)).toEqual([]);
		expect([...a.log.problems, ...b.log.problems]).toEqual([]);
	});

	it('a message for one socket reaches it on any node, and no other socket', async () => {
		const cluster = await openCluster();
		const { a, b } = cluster;
		const [here, there] = [await a.connect(), await b.connect()];
		await a.provider.send(there.id, 'there');
		await a.provider.send(here.id, 'here');
		await a.provider.send(there.id, new Uint8Array([7]));
		await quiet(cluster, here, there);

		expect(messagesOf(here)).toEqual(['here']);
		expect(messagesOf(there)).toEqual(['there', new Uint8Array([7])]);
	});

	it('a broadcast reaches every socket of every node once', async () => {
		const cluster = await openCluster();
		const { a, b } = cluster;
		const members = [
			await a.connect(),
			await a.connect({ topics: new Set(['t']) }),
			await b.connect(),
			await b.connect(),
		];
		await a.provider.broadcast('to all');
		await b.provider.broadcast(new Uint8Array([1]));
		await quiet(cluster, ...members);

		for (const member of members) expect(messagesOf(member)).toEqual(['to all', new Uint8Array([1])]);
	});

	it('an emitted message is the same on both nodes', async () => {
		const cluster = await openCluster();
		const { a, b } = cluster;
		const members = [await a.connect({ topics: new Set(['t']) }), await b.connect({ topics: new Set(['t']) })];
		const OrderPaid = SocketMessage.define({ name: 'order.paid', data: orderSchema });
		await a.provider.emit(OrderPaid, 't', { id: 'é🙂', items: [] });
		await quiet(cluster, ...members);

		const [own, other] = members.map(messagesOf);
		expect(own).toHaveLength(1);
		expect(JSON.parse(String(own?.[0]))).toMatchObject({ name: 'order.paid', data: { id: 'é🙂', items: [] } });
		expect(other).toEqual(own);
	});

	it('publishFrom leaves out only the sender', async () => {
		const cluster = await openCluster();
		const { a, b } = cluster;
		const [sender, neighbour, remote] = [
			await a.connect({ topics: new Set(['t']) }),
			await a.connect({ topics: new Set(['t']) }),
			await b.connect({ topics: new Set(['t']) }),
		];
		await a.provider.publishFrom(sender.id, 't', 'from a client');
		await quiet(cluster, sender, neighbour, remote);

		expect([sender, neighbour, remote].map(messagesOf)).toEqual([[], ['from a client'], ['from a client']]);
	});

	it('a thousand messages keep the order of their publisher, whether awaited or not', async () => {
		const cluster = await openCluster();
		const { a, b } = cluster;
		const members = [await a.connect({ topics: new Set(['t']) }), await b.connect({ topics: new Set(['t']) })];
		const sent: Record<string, string[]> = { a: [], b: [] };
		for (let i = 0; i < 1_000; i++) {
			for (const [name, { provider }] of Object.entries({ a, b })) {
				// Some messages are large enough to fill frames before the tick is over.
				const text = `${name} ${i} `.padEnd(i % 100 === 0 ? 150_000 : 0, '.');
				sent[name]?.push(text);
				const publishing = provider.publish('t', text);
				if (i % 50 === 0) await publishing;
			}
		}
		await quiet(cluster, ...members);

		for (const member of members) {
			const texts = messagesOf(member);
			expect(texts).toHaveLength(2_000);
			for (const name of ['a', 'b']) {
				const ofOne = texts.filter((text) => String(text).startsWith(name));
				expect(ofOne.every((text, i) => text === sent[name]?.[i])).toBe(true);
			}
		}
	});

	it('once subscribe has resolved, messages published on any node arrive', async () => {
		const { a, b } = await openCluster();
		const member = await a.connect();
		for (let i = 0; i < 30; i++) {
			await a.coordinator.subscribeToTopic(member.id, `t${i}`);
			await b.provider.publish(`t${i}`, String(i));
			expect(await member.client.next()).toBe(String(i));
		}
	});

	it('a client gets nothing from any node after it has unsubscribed', async () => {
		const cluster = await openCluster(10_000);
		const { a, b } = cluster;
		const member = await a.connect({ topics: new Set(['t']) });
		await b.provider.publish('t', 'in time');
		await a.coordinator.unsubscribeFromTopic(member.id, 't');
		await b.provider.publish('t', 'too late');
		await a.provider.publish('t', 'too late as well');
		await quiet(cluster, member);

		expect(messagesOf(member)).toEqual(['in time']);
	});

	it('a socket that disconnected from one node is unknown to the other', async () => {
		const { a, b } = await openCluster();
		const member = await a.connect();
		await b.provider.send(member.id, 'known');
		await member.client.close();
		await until(() => !a.provider.isConnected(member.id), { what: 'node a sees the close' });

		const thrown = await b.provider.send(member.id, 'unknown').catch((reason: unknown) => reason);
		expect(thrown).toBeInstanceOf(UnknownSocketError);
		expect(thrown).toMatchObject({ socketId: member.id });
		await expect(a.provider.send(member.id, 'unknown')).rejects.toThrow(UnknownSocketError);
		await expect(a.provider.send(crypto.randomUUID(), 'never was')).rejects.toThrow(UnknownSocketError);
	});

	it('a node subscribes only to its own channel, the topics of its sockets, their direct channels and broadcast', async () => {
		const { a, b, busOfA, busOfB } = await openCluster();
		const member = await a.connect({ topics: new Set(['t']) });
		await b.connect({ topics: new Set(['u']) });
		const own = `!${a.provider.nodeId}`;
		expect([...busOfA.subscribed].toSorted()).toEqual([own, '*', `@${member.id}`, 't']);
		expect(busOfB.subscribed).not.toContain('t');

		await member.client.close();
		await until(() => busOfA.subscribed.size === 2, { what: 'only the first two are left' });
		expect([...busOfA.subscribed].toSorted()).toEqual([own, '*']);
	});

	it('the topics of one socket are subscribed in one call', async () => {
		const { a, busOfA } = await openCluster();
		const before = busOfA.calls.length;
		const topics = Array.from({ length: 100 }, (_, i) => `t${i}`);
		const { id } = await a.connect({ topics: new Set(topics) });

		expect(busOfA.calls.slice(before)).toEqual([{ call: 'subscribe', channels: [`@${id}`, ...topics] }]);
	});

	it('fifty quick subscribes and unsubscribes of one topic end as the last one says', async () => {
		const cluster = await openCluster();
		const { a, b, busOfA } = cluster;
		const [stays, leaves] = [await a.connect(), await a.connect()];
		const joining: Promise<void>[] = [];
		for (let i = 0; i < 50; i++) {
			joining.push(a.coordinator.subscribeToTopic(stays.id, 't'), a.coordinator.subscribeToTopic(leaves.id, 'u'));
			if (i % 7 === 0) await Promise.resolve();
			if (i % 11 === 0) await joining.at(-1);
			joining.push(
				a.coordinator.unsubscribeFromTopic(stays.id, 't'),
				a.coordinator.unsubscribeFromTopic(leaves.id, 'u'),
			);
		}
		joining.push(a.coordinator.subscribeToTopic(stays.id, 't'));
		await Promise.all(joining);
		await b.provider.publish('t', 'to subscribers');
		await b.provider.publish('u', 'to former subscribers');
		await quiet(cluster, stays, leaves);

		expect([messagesOf(stays), messagesOf(leaves)]).toEqual([['to subscribers'], []]);
		const expected = [`!${a.provider.nodeId}`, '*', `@${leaves.id}`, `@${stays.id}`, 't'];
		expect([...busOfA.subscribed].toSorted()).toEqual(expected.toSorted());
		expect(a.log.problems).toEqual([]);
	});
});
