import { until } from '@orijs/testkit';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UnknownSocketError } from './index.ts';
import { MemoryBackend } from './testing/index.ts';
import { type Member, messagesOf, openNode, type TestNode } from './test-support/test-node.ts';

const topics = ['t0', 't1', 't2'];

const node = fc.nat({ max: 1 });
/** Picks a client by the order of connecting, among all that are or were connected. */
const who = fc.nat({ max: 20 });
const topic = fc.constantFrom(...topics);
const payload = fc.oneof(
	fc.constantFrom('text', ''),
	fc.uint8Array({ maxLength: 5 }),
	fc.string({ unit: 'grapheme', maxLength: 5 }),
);

const step = fc.oneof(
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('connect' as const), node, topics: fc.uniqueArray(topic) }) },
	{ weight: 1, arbitrary: fc.record({ op: fc.constant('close' as const), who }) },
	{ weight: 4, arbitrary: fc.record({ op: fc.constant('join' as const), who, topic }) },
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('leave' as const), who, topic }) },
	{ weight: 5, arbitrary: fc.record({ op: fc.constant('publish' as const), node, topic, payload }) },
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('publishFrom' as const), who, topic, payload }) },
	{
		weight: 4,
		arbitrary: fc.record({
			op: fc.constant('except' as const),
			node,
			topic,
			payload,
			except: fc.oneof(who, fc.array(who, { maxLength: 4 })),
		}),
	},
	{ weight: 3, arbitrary: fc.record({ op: fc.constant('send' as const), node, who, payload }) },
	{ weight: 2, arbitrary: fc.record({ op: fc.constant('broadcast' as const), node, payload }) },
);

/** The model of a client: where it is connected, and the messages that it must have received. */
interface Known {
	readonly member: Member;
	readonly node: TestNode;
	readonly topics: Set<string>;
	readonly expected: (string | Uint8Array)[];
	open: boolean;
}

it.each([
	['without heartbeats', {}, {}],
	['with beats that are collected', { liveness: true }, { collectBeatsAbove: 1, heartbeatMs: 250 }],
])('every client of two nodes %s receives exactly what a simple model predicts, in order', async (_, on, options) => {
	await fc.assert(
		fc.asyncProperty(
			fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }),
			fc.constantFrom(0, 20),
			async (steps, graceMs) => {
				const backend = new MemoryBackend(on);
				const nodes = [
					await openNode({ bus: backend.createBus(), graceMs, ...options }),
					await openNode({ bus: backend.createBus(), graceMs, ...options, setServer: false }),
				] as const;
				const known: Known[] = [];
				const open = (): Known[] => known.filter((one) => one.open);
				const providerOf = (index: number): TestNode['provider'] => (index === 0 ? nodes[0] : nodes[1]).provider;

				for (const one of steps) {
					const client = 'who' in one && known.length > 0 ? known[one.who % known.length] : undefined;
					if (one.op === 'connect') {
						const at = one.node === 0 ? nodes[0] : nodes[1];
						const member = await at.connect({ topics: new Set(one.topics) });
						known.push({ member, node: at, topics: new Set(one.topics), expected: [], open: true });
					} else if (one.op === 'publish') {
						for (const other of open()) if (other.topics.has(one.topic)) other.expected.push(one.payload);
						await providerOf(one.node).publish(one.topic, one.payload);
					} else if (one.op === 'broadcast') {
						for (const other of open()) other.expected.push(one.payload);
						await providerOf(one.node).broadcast(one.payload);
					} else if (one.op === 'except') {
						const idOf = (index: number): string => known[index % known.length]?.member.id ?? crypto.randomUUID();
						const except = typeof one.except === 'number' ? idOf(one.except) : one.except.map(idOf);
						for (const other of open()) {
							const isLeftOut = except === other.member.id || except.includes(other.member.id);
							if (!isLeftOut && other.topics.has(one.topic)) other.expected.push(one.payload);
						}
						await providerOf(one.node).publish(one.topic, one.payload, { except });
					} else if (client === undefined) {
						continue;
					} else if (one.op === 'close' && client.open) {
						await client.node.settled(client.member);
						client.open = false;
						await client.member.client.close();
						await until(() => !client.node.provider.isConnected(client.member.id), { what: 'the node sees the close' });
					} else if (one.op === 'join' && client.open) {
						client.topics.add(one.topic);
						await client.node.coordinator.subscribeToTopic(client.member.id, one.topic);
					} else if (one.op === 'leave') {
						client.topics.delete(one.topic);
						const leaving = client.node.coordinator.unsubscribeFromTopic(client.member.id, one.topic);
						if (client.open) await leaving;
						else await expect(leaving).rejects.toThrow(UnknownSocketError);
					} else if (one.op === 'publishFrom' && client.open) {
						for (const other of open())
							if (other !== client && other.topics.has(one.topic)) other.expected.push(one.payload);
						await client.node.provider.publishFrom(client.member.id, one.topic, one.payload);
					} else if (one.op === 'send') {
						const sending = providerOf(one.node).send(client.member.id, one.payload);
						if (client.open) client.expected.push(one.payload);
						if (client.open) await sending;
						else await expect(sending).rejects.toThrow(UnknownSocketError);
					}
				}

				await Promise.all(open().map(({ member, node: at }) => at.settled(member)));
				for (const { member, expected } of known) expect(messagesOf(member)).toEqual(expected);
				for (const at of nodes) {
					const here = open().filter((one) => one.node === at);
					expect(at.provider.getConnectionCount()).toBe(here.length);
					for (const name of topics) {
						const inside = here.filter((one) => one.topics.has(name)).map(({ member }) => member.id);
						expect([...at.provider.getTopicSubscribers(name)].toSorted()).toEqual(inside.toSorted());
					}
					expect(at.log.problems.filter(({ message }) => !message.includes('is not connected'))).toEqual([]);
				}
				await Promise.all(nodes.map((at) => at.close()));
				for (const at of nodes) expect([at.provider.getConnectionCount(), at.provider.getTopicCount()]).toEqual([0, 0]);
			},
		),
		{ numRuns: 40 },
	);
});
