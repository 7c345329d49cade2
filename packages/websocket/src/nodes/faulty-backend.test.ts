import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { BusUnavailableError, SubscribeError } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { ticks } from '../test-support/ticks.ts';
import { watchUnhandledRejections } from '../test-support/unhandled-rejections.ts';
import { WatchedBus } from '../test-support/watched-bus.ts';

async function openFaulty(): Promise<{ backend: MemoryBackend; bus: WatchedBus; node: TestNode; other: TestNode }> {
	const backend = new MemoryBackend();
	const bus = new WatchedBus(backend.createBus());
	return { backend, bus, node: await openNode({ bus }), other: await openNode({ bus: backend.createBus() }) };
}

describe('a backend that does not accept messages', () => {
	it('delays nothing on this node; the promise rejects and says which nodes got it', async () => {
		const { bus, node, other } = await openFaulty();
		const here = await node.connect({ topics: new Set(['t']) });
		const there = await other.connect({ topics: new Set(['t']) });
		bus.publishFault = new Error('connection lost');
		const thrown = await node.provider.publish('t', 'local').catch((reason: unknown) => reason);

		expect(thrown).toBeInstanceOf(BusUnavailableError);
		expect(thrown).toMatchObject({
			topic: 't',
			cause: bus.publishFault,
			message: expect.stringContaining(
				"this node's sockets received it, other nodes' sockets may not have: connection lost",
			),
		});
		await node.settled(here);
		expect(messagesOf(here)).toEqual(['local']);

		// Rejected messages must not be delivered late, once the backend works again.
		bus.publishFault = undefined;
		await node.provider.publish('t', 'to all');
		await Promise.all([node.settled(here), other.settled(there)]);
		expect(messagesOf(here)).toEqual(['local', 'to all']);
		expect(messagesOf(there)).toEqual(['to all']);
	});

	it('rejects broadcasts and messages to remote sockets in the same way', async () => {
		const { bus, node } = await openFaulty();
		const here = await node.connect();
		bus.publishFault = new Error('connection lost');

		await expect(node.provider.broadcast('to all')).rejects.toThrow(BusUnavailableError);
		await expect(node.provider.send(crypto.randomUUID(), 'x')).rejects.toThrow(BusUnavailableError);
		await node.provider.send(here.id, 'here');
		await node.settled(here);
		expect(messagesOf(here)).toEqual(['to all', 'here']);
	});

	it('is logged once when it begins, not for every message; outages within the next second are combined', async () => {
		const { bus, node } = await openFaulty();
		const outage = async (name: string): Promise<void> => {
			bus.publishFault = new Error(name);
			for (let i = 0; i < 5; i++) await node.provider.publish('t', 'x').catch(() => {});
			bus.publishFault = undefined;
			await node.provider.publish('t', 'x');
		};
		await outage('the first');
		await outage('at once again');
		await outage('and again');
		await until(() => node.log.problems.length === 2, { what: 'the later outages are logged' });

		expect(node.log.problems).toEqual([
			{
				level: 'error',
				message: expect.stringContaining('the first'),
				details: { stage: 'publish', err: expect.any(BusUnavailableError) },
			},
			{
				level: 'error',
				message: 'WebSocket failures (publish): BusUnavailableError',
				details: { stage: 'publish', count: 2 },
			},
		]);
	});

	it('causes no unhandled rejection when the promise is ignored', async () => {
		const watch = watchUnhandledRejections();
		const { bus, node } = await openFaulty();
		const here = await node.connect({ topics: new Set(['t']) });
		bus.publishFault = new Error('connection lost');
		void node.provider.publish('t', 'x');
		void node.provider.publishFrom(here.id, 't', 'x');
		void node.provider.broadcast('x');
		void node.provider.send(crypto.randomUUID(), 'x');

		expect(await watch.seen()).toEqual([]);
	});
});

describe('a backend that hangs', () => {
	it('delays nothing on this node', async () => {
		const { bus, node } = await openFaulty();
		const members = [await node.connect({ topics: new Set(['t']) }), await node.connect({ topics: new Set(['t']) })];
		const answer = bus.hang();
		const subscribing = members.map(({ id }) => node.coordinator.subscribeToTopic(id, 'new'));
		const sending = [
			node.provider.publish('t', '1'),
			node.provider.publish('new', '2'),
			node.provider.broadcast('3'),
			...members.map(({ id }) => node.provider.send(id, '4')),
		];
		await Promise.all(members.map(node.settled));
		for (const member of members) expect(messagesOf(member)).toEqual(['1', '2', '3', '4']);

		answer();
		await Promise.all([...subscribing, ...sending]);
	});
});

describe('a topic that the backend refuses', () => {
	it('is rolled back for every subscriber, and the other topics of its tick succeed', async () => {
		const { bus, node, other } = await openFaulty();
		const members = [await node.connect(), await node.connect()];
		bus.refused.add('bad');
		const joining = members.flatMap(({ id }) =>
			['good', 'bad'].map((topic) => node.coordinator.subscribeToTopic(id, topic)),
		);
		const outcomes = await Promise.allSettled(joining);

		expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected']);
		for (const outcome of outcomes) {
			if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(SubscribeError);
		}
		for (const { ws } of members) expect([...ws.data.topics]).toEqual(['good']);
		expect([node.provider.getTopicCount(), node.provider.getTopicSubscriberCount('bad')]).toEqual([1, 0]);
		expect(node.log.problems).toEqual([
			{
				level: 'error',
				message: expect.stringContaining('Subscribing to "bad" failed and was rolled back: refused: bad'),
				details: { stage: 'subscribe', err: expect.any(SubscribeError) },
			},
		]);

		await node.provider.publish('bad', 'without subscribers');
		await other.provider.publish('good', 'from there');
		await node.provider.publish('good', 'from here');
		await Promise.all(members.map(node.settled));
		for (const member of members) expect(messagesOf(member)).toEqual(['from there', 'from here']);
	});

	it('can be subscribed later, when the backend allows it', async () => {
		const { bus, node, other } = await openFaulty();
		const member = await node.connect();
		bus.refused.add('t');
		await expect(node.coordinator.subscribeToTopic(member.id, 't')).rejects.toThrow(SubscribeError);
		bus.refused.clear();
		await node.coordinator.subscribeToTopic(member.id, 't');
		await other.provider.publish('t', 'now');
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['now']);
	});

	it('causes no unhandled rejection, whether it was subscribed or listed at the upgrade', async () => {
		const watch = watchUnhandledRejections();
		const { bus, node } = await openFaulty();
		bus.refused.add('bad');
		const { ws } = await node.attempt({ socketId: crypto.randomUUID(), data: {}, topics: new Set(['bad', 'good']) });
		void node.coordinator.subscribeToTopic(ws.data.socketId, 'bad');
		await ticks(10);

		expect([...ws.data.topics]).toEqual(['good']);
		expect(await watch.seen()).toEqual([]);
	});

	it('does not touch a socket that closed while the backend was being asked', async () => {
		const { bus, node } = await openFaulty();
		const [leaves, stays] = [await node.connect(), await node.connect()];
		bus.refused.add('bad');
		const answer = bus.hang();
		const joining = [leaves, stays].map(({ id }) =>
			node.coordinator.subscribeToTopic(id, 'bad').catch((reason: unknown) => reason),
		);
		await ticks(2);
		leaves.ws.close();
		answer();

		for (const outcome of await Promise.all(joining)) expect(outcome).toBeInstanceOf(SubscribeError);
		expect([node.provider.getConnectionCount(), node.provider.getTopicCount()]).toEqual([1, 0]);
	});
});

it('errors of the bus with their stage, and its status, are logged', async () => {
	let handlers: Parameters<WatchedBus['start']>[0] | undefined;
	const inner = new MemoryBackend().createBus();
	const bus = Object.assign(new WatchedBus(inner), {
		start(given: Parameters<WatchedBus['start']>[0]) {
			handlers = given;
			return inner.start(given);
		},
	});
	const node = await openNode({ bus });
	node.log.lines.length = 0;
	const error = new Error('read ECONNRESET');
	handlers?.status({ state: 'degraded', reason: 'connection lost' });
	handlers?.error(error, 'connect');
	handlers?.status({ state: 'ready' });

	expect(node.log.lines).toEqual([
		{ level: 'warn', message: expect.stringContaining('connection lost'), details: undefined },
		{ level: 'error', message: expect.stringContaining('read ECONNRESET'), details: { stage: 'connect', err: error } },
		{ level: 'info', message: expect.any(String), details: undefined },
	]);
});
