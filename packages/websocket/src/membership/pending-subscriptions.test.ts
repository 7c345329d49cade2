import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { HistoryUnavailableError, ProviderStoppedError, SubscribeError } from '../index.ts';
import type { SubscribedTopic } from '../protocol/built-in.ts';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { framesOf } from '../test-support/frames-of.ts';
import { HeldBus } from '../test-support/held-bus.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { ticks } from '../test-support/ticks.ts';
import { watchUnhandledRejections } from '../test-support/unhandled-rejections.ts';
import { MemoryBackend } from '../testing/index.ts';

const HISTORY = { 'long:*': { size: 100, ttlMs: 60_000 } };
const TOPICS = ['a', 'long:1'];

interface Pair {
	readonly backend: MemoryBackend;
	readonly held: HeldBus;
	/** The node whose bus answers only when it may. */
	readonly node: TestNode;
	readonly other: TestNode;
}

async function openPair(): Promise<Pair> {
	const backend = new MemoryBackend();
	const held = new HeldBus(backend);
	const options = { history: HISTORY, subprotocol: SUBPROTOCOL };
	const node = await openNode({ ...options, bus: held.bus });
	return { backend, held, node, other: await openNode({ ...options, bus: backend.createBus() }) };
}

async function framesTo({ settled }: TestNode, member: Member): Promise<ReturnType<typeof framesOf>> {
	await settled(member);
	return framesOf(messagesOf(member));
}

/** Returns the topics of all `@subscribed` that a client has received, with what they say. */
function subscribedIn(member: Member): readonly SubscribedTopic[] {
	return messagesOf(member)
		.filter((text) => String(text).startsWith('{"type":"@subscribed"'))
		.flatMap((text) => (JSON.parse(String(text)) as { data: { topics: SubscribedTopic[] } }).data.topics);
}

async function told(member: Member, topic: string): Promise<SubscribedTopic> {
	const find = (): SubscribedTopic | undefined => subscribedIn(member).find((each) => each.topic === topic);
	await until(() => find() !== undefined, { what: `the client is told that it is in ${topic}` });
	return find() as SubscribedTopic;
}

describe.each(TOPICS)('while the backend has not confirmed %s', (topic) => {
	it('the client is not told; then it is', async () => {
		const { held, node, other } = await openPair();
		const member = await node.connect();
		const answer = held.hold();
		const subscribed = node.provider.subscribe(member.id, topic);
		await ticks(10);
		expect(await framesTo(node, member)).toEqual([]);
		answer();
		await subscribed;
		await other.provider.publish(topic, 'from afar');
		await until(() => member.client.texts.some((text) => text.includes('from afar')), { what: 'it arrives' });
		expect((await framesTo(node, member)).filter((each) => typeof each === 'string' || !each['position'])).toEqual([
			{ subscribed: [topic] },
			'from afar',
		]);
		expect(subscribedIn(member)[0]?.since).toBe(undefined);
	});

	it('calls for it share the outcome, and the client is told once', async () => {
		const { held, node } = await openPair();
		const member = await node.connect();
		const answer = held.hold();
		const calls = [1, 2, 3].map(() => node.provider.subscribe(member.id, topic));
		await ticks(2);
		calls.push(node.provider.subscribe(member.id, topic));
		answer();
		await Promise.all(calls);
		expect(await framesTo(node, member)).toEqual([{ subscribed: [topic] }]);
	});

	it('a client that is unsubscribed is told that only; the call resolves at once', async () => {
		const { held, node } = await openPair();
		const member = await node.connect();
		const answer = held.hold();
		const subscribed = node.provider.subscribe(member.id, topic);
		await ticks(2);
		void node.provider.unsubscribe(member.id, topic);
		await subscribed;
		answer();
		await ticks(10);
		expect(await framesTo(node, member)).toEqual([{ unsubscribed: [topic] }]);
		expect([...member.ws.data.topics]).toEqual([]);
	});

	it.each([0, 2])(
		'a client that is unsubscribed and subscribed again is told in this order, %d turns later',
		async (turns) => {
			const { held, node } = await openPair();
			const member = await node.connect();
			const answer = held.hold();
			const first = node.provider.subscribe(member.id, topic);
			await ticks(turns);
			void node.provider.unsubscribe(member.id, topic);
			const second = node.provider.subscribe(member.id, topic);
			await first;
			await ticks(10);
			expect(await framesTo(node, member)).toEqual([{ unsubscribed: [topic] }]);
			answer();
			await second;
			expect(await framesTo(node, member)).toEqual([{ unsubscribed: [topic] }, { subscribed: [topic] }]);
		},
	);

	it('the call of a client that leaves resolves', async () => {
		const { held, node } = await openPair();
		const watch = watchUnhandledRejections();
		const member = await node.connect();
		const answer = held.hold();
		const subscribed = node.provider.subscribe(member.id, topic);
		await ticks(2);
		await member.client.close();
		await subscribed;
		answer();
		await ticks(10);
		expect([node.provider.getTopicCount(), await watch.seen(), node.log.problems]).toEqual([0, [], []]);
	});

	it('takes long, the client is told since when', async () => {
		const { held, node } = await openPair();
		const member = await node.connect();
		const answer = held.hold();
		const calledAt = Date.now();
		const subscribed = node.provider.subscribe(member.id, topic);
		await until(() => Date.now() - calledAt > 260, { what: 'it is late' });
		answer();
		await subscribed;
		const { since = 0 } = await told(member, topic);
		expect(Math.abs(since - calledAt)).toBeLessThan(20);
	});
});

describe.each(TOPICS)('if the backend refuses %s', (topic) => {
	it.each(['server', 'client'] as const)('what the %s asked for rejects, and all clients are told', async (by) => {
		const { held, node } = await openPair();
		const watch = watchUnhandledRejections();
		const members = [await node.connect(), await node.connect()];
		held.refused.add(topic);
		const calls = members.map(({ id }) =>
			by === 'client' && topic !== 'a'
				? node.provider.resume(id, topic, {})
				: node.provider.subscribe(id, topic, { by }),
		);
		for (const call of calls) await expect(call).rejects.toThrow(SubscribeError);
		for (const member of members) {
			expect(await framesTo(node, member)).toEqual([{ unsubscribed: [topic] }]);
			const [frame] = messagesOf(member).map((text) => JSON.parse(String(text)));
			expect(frame.data.topics[0]).toMatchObject({ code: 'unavailable', message: expect.stringContaining(topic) });
		}
		expect([node.provider.getTopicCount(), await watch.seen()]).toEqual([0, []]);

		held.refused.clear();
		await Promise.all(members.map(({ id }) => node.provider.subscribe(id, topic)));
		for (const member of members) {
			expect(await framesTo(node, member)).toEqual([{ unsubscribed: [topic] }, { subscribed: [topic] }]);
		}
	});
});

describe.each(TOPICS)('while the backend is away, %s', (topic) => {
	it('is confirmed when it is back, and the client is told since when messages may be missing', async () => {
		const { backend, held, node, other } = await openPair();
		const [member, early] = [await node.connect(), await node.connect()];
		await node.provider.subscribe(early.id, topic);
		backend.cut(held.inner);
		const calledAt = Date.now();
		const subscribed = [member.id, early.id].map((id) => node.provider.subscribe(id, topic));
		await ticks(10);
		await other.provider.publish(topic, 'missed');
		expect(subscribedIn(member)).toEqual([]);
		backend.restore(held.inner);
		await Promise.all(subscribed);
		await other.provider.publish(topic, 'not missed');

		const { since = 0 } = await told(member, topic);
		expect(Math.abs(since - calledAt)).toBeLessThan(50);
		await until(() => subscribedIn(early).length === 2, { what: 'the other is told again' });
		expect(subscribedIn(early)[1]?.since).toBeGreaterThan(0);
		await until(() => member.client.texts.some((text) => text.includes('not missed')), { what: 'the next arrives' });
	});

	it('rejects if the provider is stopped; the client is told after the next start', async () => {
		const { backend, held, node } = await openPair();
		const watch = watchUnhandledRejections();
		const member = await node.connect();
		backend.cut(held.inner);
		const calledAt = Date.now();
		const subscribed = node.provider.subscribe(member.id, topic);
		const outcome = subscribed.catch((error: unknown) => error);
		await ticks(5);
		await node.provider.stop();
		expect(await outcome).toBeInstanceOf(ProviderStoppedError);
		await expect(node.provider.subscribe(member.id, topic)).rejects.toThrow(ProviderStoppedError);
		backend.restore(held.inner);
		await ticks(5);
		expect(subscribedIn(member)).toEqual([]);
		await node.provider.start();

		const { since = 0 } = await told(member, topic);
		expect(Math.abs(since - calledAt)).toBeLessThan(100);
		expect(await framesTo(node, member)).toEqual([{ subscribed: [topic] }]);
		expect(await watch.seen()).toEqual([]);
	});
});

describe('a topic with history that can’t be read', () => {
	it('is left, and the client is told', async () => {
		const { held, node } = await openPair();
		const member = await node.connect();
		held.readFault = new Error('not a history');
		await expect(node.provider.subscribe(member.id, 'long:1')).rejects.toThrow(HistoryUnavailableError);
		expect(await framesTo(node, member)).toEqual([{ unsubscribed: ['long:1'] }]);
		expect([...member.ws.data.topics]).toEqual([]);
	});

	it('is not left while the backend is away', async () => {
		const { backend, held, node } = await openPair();
		const member = await node.connect();
		held.readFault = new Error('the connection is lost');
		const subscribed = node.provider.subscribe(member.id, 'long:1');
		await until(() => held.reads > 0, { what: 'the history is read' });
		backend.cut(held.inner);
		await Bun.sleep(2_500);
		held.readFault = undefined;
		backend.restore(held.inner);
		await subscribed;
		expect(await framesTo(node, member)).toEqual([{ subscribed: ['long:1'] }]);
		expect(subscribedIn(member)[0]?.since).toBeGreaterThan(0);
	});
});

describe('a client that catches up at its own request', () => {
	it.each(['before', 'after'])('misses nothing if the server subscribes it %s that', async (when) => {
		const { held, node } = await openPair();
		const { provider } = node;
		const empty = await provider.history('long:1');
		for (const text of ['1', '2', '3']) await provider.publish('long:1', text);
		const member = await node.connect();
		const answer = held.hold();
		const byServer = (): Promise<void> => provider.subscribe(member.id, 'long:1');
		const byClient = () => provider.resume(member.id, 'long:1', { since: { epoch: empty.epoch, offset: 0 } });
		const calls = when === 'before' ? [byServer(), byClient()] : [byClient(), byServer()];
		await ticks(5);
		answer();
		await Promise.all(calls);
		await provider.publish('long:1', '4');
		await until(() => member.client.texts.some((text) => text.includes('"4"')), { what: 'the live message arrives' });
		const frames = await framesTo(node, member);
		expect(frames.filter((frame) => typeof frame === 'string')).toEqual(['1', '2', '3', '4']);
		expect(frames.slice(-3)).toEqual([{ position: ['long:1'] }, { subscribed: ['long:1'] }, '4']);
	});
});
