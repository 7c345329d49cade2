import { describe, expect, it } from 'vitest';
import { InvalidOptionError, InvalidTopicError, type MembershipListener } from '../index.ts';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { HeldBus } from '../test-support/held-bus.ts';
import { openNode, type TestNode } from '../test-support/test-node.ts';
import { ticks } from '../test-support/ticks.ts';
import { MemoryBackend } from '../testing/index.ts';

const HISTORY = { 'long:*': { size: 100, ttlMs: 60_000 } };

/** Records the changes of a node, together with the size of the topic at that time. */
function record({ provider }: TestNode) {
	const changes: unknown[] = [];
	const remove = provider.onMembership({
		subscribed: (socket, topic, by) =>
			changes.push([socket.data.socketId, 'in', topic, by, provider.getTopicSubscriberCount(topic)]),
		unsubscribed: (socket, topic, { by, code, message }) =>
			changes.push([socket.data.socketId, 'out', topic, by, code, message, provider.getTopicSubscriberCount(topic)]),
	});
	return { changes, remove };
}

describe.each([undefined, SUBPROTOCOL])('onMembership, for clients with the subprotocol %s', (subprotocol) => {
	it.each(['a', 'long:1'])('calls the listener at once for each change of %s', async (topic) => {
		const node = await openNode({ history: HISTORY });
		const { id } = await node.connect({ ...(subprotocol !== undefined && { subprotocol }) });
		const { changes, remove } = record(node);
		const { provider } = node;
		const steps: (() => Promise<unknown>)[] = [
			() => provider.subscribe(id, topic, { by: 'client' }),
			() => provider.subscribe(id, topic, { by: 'client' }),
			() => provider.subscribe(id, topic),
			() => provider.unsubscribe(id, topic, { by: 'client' }),
			() => provider.unsubscribe(id, topic),
			() => provider.subscribe(id, topic),
			() => provider.unsubscribe(id, topic, { code: 'kicked', message: 'Bye' }),
		];
		const seen = steps.map((step) => {
			const from = changes.length;
			void step();
			return changes.slice(from);
		});
		expect(seen).toEqual([
			[[id, 'in', topic, 'client', 1]],
			[],
			[[id, 'in', topic, 'server', 1]],
			[[id, 'out', topic, 'client', 'unsubscribed', `The client has unsubscribed from ${topic}`, 0]],
			[],
			[[id, 'in', topic, 'server', 1]],
			[[id, 'out', topic, 'server', 'kicked', 'Bye', 0]],
		]);
		remove();
		await provider.subscribe(id, topic);
		expect(changes).toHaveLength(5);
	});

	it('calls the listener for what a client resumes, and for topics that a socket is added with', async () => {
		const node = await openNode({ history: HISTORY });
		const { changes } = record(node);
		const socketId = crypto.randomUUID();
		const data = { socketId, data: {}, topics: new Set(['a', 'long:1']), subprotocol };
		await (
			await node.attempt(data)
		).added;
		await node.provider.resume(socketId, 'long:1', { rewind: 1 });
		await node.provider.resume(socketId, 'long:2', {});
		node.provider.removeConnection(socketId);
		expect(changes).toEqual([
			[socketId, 'in', 'a', 'server', 1],
			[socketId, 'in', 'long:1', 'server', 1],
			[socketId, 'in', 'long:2', 'client', 1],
		]);
	});

	it('calls the listener for what the backend refuses', async () => {
		const held = new HeldBus(new MemoryBackend());
		const node = await openNode({ history: HISTORY, bus: held.bus });
		const { id } = await node.connect({ ...(subprotocol !== undefined && { subprotocol }) });
		const { changes } = record(node);
		held.refused.add('a');
		await node.provider.subscribe(id, 'a').catch(() => {});
		expect(changes).toEqual([
			[id, 'in', 'a', 'server', 1],
			[id, 'out', 'a', 'server', 'unavailable', 'The backend has refused a', 0],
		]);
	});
});

it.each([undefined, null, () => {}, {}, { subscribed() {} }])('onMembership refuses %s', async (listener) => {
	const { provider } = await openNode();
	expect(() => provider.onMembership(listener as unknown as MembershipListener)).toThrow(InvalidOptionError);
});

describe('prepare', () => {
	/** A node that counts the requests to the backend, by channel. */
	async function counting() {
		const inner = new MemoryBackend().createBus();
		const asked: string[] = [];
		const left: string[] = [];
		const bus = {
			...inner,
			subscribe: (channels: readonly string[]) => {
				asked.push(...channels);
				return inner.subscribe(channels);
			},
			unsubscribe: (channels: readonly string[]) => {
				left.push(...channels);
				return inner.unsubscribe(channels);
			},
		};
		const times = (list: readonly string[]): number => list.filter((channel) => channel === 'a').length;
		const node = await openNode({ bus, graceMs: 0 });
		return { node, counts: () => ({ asked: times(asked), left: times(left) }) };
	}

	it('asks the backend for a topic without a socket, and ends that', async () => {
		const { node, counts } = await counting();
		const ends = [node.provider.prepare('a'), node.provider.prepare('a')];
		await ticks(3);
		expect(counts()).toEqual({ asked: 1, left: 0 });
		ends[0]?.();
		ends[0]?.();
		await ticks(3);
		expect(counts()).toEqual({ asked: 1, left: 0 });
		ends[1]?.();
		await ticks(3);
		expect(counts()).toEqual({ asked: 1, left: 1 });
	});

	it('keeps the topic while sockets come and go', async () => {
		const { node, counts } = await counting();
		const end = node.provider.prepare('a');
		const { id } = await node.connect();
		await node.provider.subscribe(id, 'a');
		await node.provider.unsubscribe(id, 'a');
		await node.provider.subscribe(id, 'a');
		node.provider.removeConnection(id);
		await ticks(3);
		expect(counts()).toEqual({ asked: 1, left: 0 });

		const other = await node.connect();
		await node.provider.subscribe(other.id, 'a');
		end();
		await ticks(3);
		expect(counts()).toEqual({ asked: 1, left: 0 });
		await node.provider.unsubscribe(other.id, 'a');
		await ticks(3);
		expect(counts()).toEqual({ asked: 1, left: 1 });
	});

	it('outlives a restart of the provider', async () => {
		const { node, counts } = await counting();
		node.provider.prepare('a');
		await node.provider.stop();
		await node.provider.start();
		await ticks(3);
		expect(counts().asked).toBeGreaterThan(0);
		expect(counts().left).toBe(0);
	});

	it('refuses what is not a topic', async () => {
		const { node } = await counting();
		expect(() => node.provider.prepare('no topic')).toThrow(InvalidTopicError);
	});
});

describe('options', () => {
	const calls: readonly [string, (node: TestNode, id: string) => Promise<unknown>, string][] = [
		['an unknown option', ({ provider }, id) => provider.subscribe(id, 'a', { passed: 1 } as object), 'passed'],
		['no object', ({ provider }, id) => provider.subscribe(id, 'a', 'client' as never), 'takes an object'],
		['null', ({ provider }, id) => provider.subscribe(id, 'a', null as never), 'takes an object'],
		['by', ({ provider }, id) => provider.subscribe(id, 'a', { by: 'me' as never }), `'server' or 'client', not "me"`],
		['past', ({ provider }, id) => provider.subscribe(id, 'a', { past: 0 as never }), 'true or false, not 0'],
		['a code', ({ provider }, id) => provider.unsubscribe(id, 'a', { code: 'No!' }), 'must match'],
		['a message', ({ provider }, id) => provider.unsubscribe(id, 'a', { message: 7 as never }), 'a string, not 7'],
		['null', ({ provider }, id) => provider.unsubscribe(id, 'a', null as never), 'takes an object'],
		['past', ({ coordinator }, id) => coordinator.subscribeToTopic(id, 'a', { past: 0 as never }), 'true or false'],
		[
			'to resume',
			({ provider }, id) => provider.resume(id, 'long:1', { isEntitled: 1 as never }),
			'true or false, not 1',
		],
		['a code', ({ coordinator }, id) => coordinator.unsubscribeFromTopic(id, 'a', { code: '' }), 'must match'],
	];
	it.each(calls)('that are invalid change nothing, and the error says what is allowed: %s', async (_, call, says) => {
		const node = await openNode({ history: HISTORY });
		const { id, ws } = await node.connect({ topics: new Set(['b']) });
		const { changes } = record(node);
		const thrown = await call(node, id).catch((error: unknown) => error);
		expect(thrown).toBeInstanceOf(InvalidOptionError);
		expect(String(thrown)).toContain(says);
		expect([changes, [...ws.data.topics]]).toEqual([[], ['b']]);
	});

	it('are passed on by the coordinator', async () => {
		const node = await openNode({ history: HISTORY, subprotocol: SUBPROTOCOL });
		const member = await node.connect();
		const { changes } = record(node);
		await node.coordinator.subscribeToTopic(member.id, 'long:1', { past: false });
		expect(node.provider.isWithoutPast(member.id, 'long:1')).toBe(true);
		await node.coordinator.unsubscribeFromTopic(member.id, 'long:1', { code: 'kicked', message: 'Bye' });
		await node.coordinator.subscribeToTopic(member.id, 'long:1', { by: 'client' });
		expect(changes).toEqual([
			[member.id, 'in', 'long:1', 'server', 1],
			[member.id, 'out', 'long:1', 'server', 'kicked', 'Bye', 0],
			[member.id, 'in', 'long:1', 'client', 1],
		]);
	});
});
