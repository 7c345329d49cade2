import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { framesOf } from '../test-support/frames-of.ts';

const HISTORY = { 'long:*': { size: 100, ttlMs: 60_000 } };
const node = (): Promise<TestNode> => openNode({ history: HISTORY, subprotocol: SUBPROTOCOL });

/** Returns what a client has received, each frame in a short form, once all of it has arrived. */
async function received({ settled }: TestNode, member: Member): Promise<readonly unknown[]> {
	await settled(member);
	return framesOf(messagesOf(member));
}

describe('a client that the server subscribes', () => {
	it('is told', async () => {
		const one = await node();
		const member = await one.connect();
		const before = Date.now();
		await one.provider.subscribe(member.id, 'a');

		await one.settled(member);
		const [frame] = messagesOf(member).map((text) => JSON.parse(String(text)));
		expect(frame).toEqual({ type: '@subscribed', data: { timestamp: expect.any(Number), topics: [{ topic: 'a' }] } });
		expect(frame.data.timestamp).toBeGreaterThanOrEqual(before);
		expect(frame.data.timestamp).toBeLessThanOrEqual(Date.now());
	});

	it('is told by the time the promise has resolved, before what is published then', async () => {
		const one = await node();
		const member = await one.connect();
		for (const topic of ['a', 'long:1']) {
			await one.provider.subscribe(member.id, topic);
			void one.provider.publish(topic, `to ${topic}`);
		}
		expect(await received(one, member)).toEqual([
			{ subscribed: ['a'] },
			'to a',
			{ subscribed: ['long:1'] },
			{ position: ['long:1'] },
			'to long:1',
		]);
	});

	it('gets what changes in one turn in few frames, in the order of the changes', async () => {
		const one = await node();
		const member = await one.connect();
		const { provider } = one;
		const { id } = member;
		await Promise.all([
			provider.subscribe(id, 'a'),
			provider.subscribe(id, 'long:1'),
			provider.subscribe(id, 'a'),
			provider.unsubscribe(id, 'b'),
			provider.unsubscribe(id, 'long:1'),
			provider.unsubscribe(id, 'a'),
			provider.subscribe(id, 'b'),
		]);
		expect(await received(one, member)).toEqual([
			{ subscribed: ['a', 'long:1'] },
			{ unsubscribed: ['long:1', 'a'] },
			{ subscribed: ['b'] },
		]);
	});

	it('is told before a batch returns, also if that throws', async () => {
		const one = await node();
		const member = await one.connect();
		const { provider } = one;
		const { id } = member;
		const result = provider.batchMembership(() => {
			void provider.subscribe(id, 'a');
			provider.batchMembership(() => void provider.subscribe(id, 'b'));
			return 'result';
		});
		provider.getConnection(id)?.send('after the batch');
		const fails = (): unknown =>
			provider.batchMembership(() => {
				void provider.unsubscribe(id, 'a');
				throw new Error('failed');
			});
		expect(fails).toThrow('failed');
		provider.getConnection(id)?.send('after the failure');

		expect(result).toBe('result');
		expect(await received(one, member)).toEqual([
			{ subscribed: ['a', 'b'] },
			'after the batch',
			{ unsubscribed: ['a'] },
			'after the failure',
		]);
	});

	it('gets at most 100 topics in a frame', async () => {
		const one = await node();
		const member = await one.connect();
		const topics = Array.from({ length: 250 }, (_, n) => `t:${n}`);
		await Promise.all(topics.map((topic) => one.provider.subscribe(member.id, topic)));
		await Promise.all(topics.map((topic) => one.provider.unsubscribe(member.id, topic)));
		const parts = [topics.slice(0, 100), topics.slice(100, 200), topics.slice(200)];
		expect(await received(one, member)).toEqual([
			...parts.map((subscribed) => ({ subscribed })),
			...parts.map((unsubscribed) => ({ unsubscribed })),
		]);
	});

	it('is told again, although it had asked for the topic itself', async () => {
		const one = await node();
		const member = await one.connect({ topics: new Set(['a', 'long:1']) });
		expect(await received(one, member)).toEqual([]);
		await Promise.all(['a', 'long:1'].map((topic) => one.provider.subscribe(member.id, topic)));
		expect(await received(one, member)).toEqual([{ subscribed: ['a', 'long:1'] }]);
	});

	it('is told which topics its socket was added with', async () => {
		const one = await node();
		const data = {
			socketId: crypto.randomUUID(),
			data: {},
			topics: new Set(['a', 'long:1']),
			subprotocol: SUBPROTOCOL,
		};
		const attempt = await one.attempt(data);
		await attempt.added;
		expect(await received(one, { ...attempt, id: data.socketId })).toEqual([{ subscribed: ['a', 'long:1'] }]);
	});
});

describe('not told are', () => {
	it('plain clients', async () => {
		const one = await openNode({ history: HISTORY });
		const member = await one.connect({ topics: new Set(['a']) });
		for (const topic of ['b', 'long:1']) {
			await one.provider.subscribe(member.id, topic);
			await one.provider.publish(topic, topic);
			await one.provider.unsubscribe(member.id, topic);
		}
		await one.settled(member);
		expect(messagesOf(member)).toEqual(['b', 'long:1']);
	});

	it('clients of what they ask for themselves', async () => {
		const one = await node();
		const member = await one.connect();
		for (const topic of ['a', 'long:1']) {
			await one.provider.subscribe(member.id, topic, { by: 'client' });
			await one.provider.unsubscribe(member.id, topic, { by: 'client' });
		}
		expect(await received(one, member)).toEqual([]);
	});

	it('clients of topics that they are not in', async () => {
		const one = await node();
		const member = await one.connect();
		await one.provider.unsubscribe(member.id, 'a');
		expect(await received(one, member)).toEqual([]);
	});

	it('sockets that are removed in the same turn', async () => {
		const one = await node();
		const member = await one.connect();
		void one.provider.subscribe(member.id, 'a');
		one.provider.removeConnection(member.id);
		expect(await received(one, member)).toEqual([]);
	});
});

describe('a client that the server unsubscribes', () => {
	it('is told with a code and a message, after the last message of the topic', async () => {
		const one = await node();
		const { provider } = one;
		const member = await one.connect({ topics: new Set(['a', 'long:1']) });
		const topics = ['a', 'long:1'];
		for (const topic of topics) void provider.publish(topic, `${topic} 1`);
		for (const topic of topics) void provider.unsubscribe(member.id, topic, { code: 'kicked', message: 'Be nice' });
		for (const topic of topics) void provider.publish(topic, `${topic} 2`);
		await provider.subscribe(member.id, 'b');
		await provider.unsubscribe(member.id, 'b');
		await one.settled(member);
		const frames = messagesOf(member);
		expect(framesOf(frames)).toEqual([
			'a 1',
			{ position: ['long:1'] },
			'long:1 1',
			{ unsubscribed: ['a', 'long:1'] },
			{ subscribed: ['b'] },
			{ unsubscribed: ['b'] },
		]);
		expect(JSON.parse(String(frames[3]))).toEqual({
			type: '@unsubscribed',
			data: {
				topics: [
					{ topic: 'a', code: 'kicked', message: 'Be nice' },
					{ topic: 'long:1', code: 'kicked', message: 'Be nice' },
				],
			},
		});
		expect(JSON.parse(String(frames[5])).data.topics).toEqual([
			{ topic: 'b', code: 'unsubscribed', message: 'The server has unsubscribed you from b' },
		]);
	});

	it.each(['a', 'long:1'])('and subscribes again at once, is told before the next message of %s', async (topic) => {
		const one = await node();
		const { provider } = one;
		const member = await one.connect({ topics: new Set([topic]) });
		await provider.publish(topic, 'first');
		void provider.unsubscribe(member.id, topic);
		void provider.publish(topic, 'missed');
		const subscribed = provider.subscribe(member.id, topic);
		void provider.publish(topic, 'second');
		await subscribed;
		const frames = await received(one, member);
		expect(frames.filter((frame) => typeof frame === 'string' || !('position' in (frame as object)))).toEqual([
			'first',
			{ unsubscribed: [topic] },
			{ subscribed: [topic] },
			'second',
		]);
	});
});

describe('on a topic with history', () => {
	it('the position says which message follows, whenever the server subscribes and publishes', async () => {
		const one = await node();
		const { provider } = one;
		// After each number of microtasks that subscribing may take.
		for (let step = 0; step < 20; step++) {
			for (const isFirst of [true, false]) {
				const topic = `long:${step}:${isFirst}`;
				if (!isFirst) await provider.publish(topic, 'earlier');
				const member = await one.connect();
				const subscribed = provider.subscribe(member.id, topic);
				for (let i = 0; i < step; i++) await Promise.resolve();
				void provider.publish(topic, 'first');
				await Promise.all([subscribed, provider.publish(topic, 'second')]);
				await until(() => member.client.texts.some((text) => text.includes('"second"')), { what: 'the last arrives' });

				const frames = messagesOf(member).map((text) => JSON.parse(String(text)));
				let position = frames[0].data.topics[0].position;
				for (const { type, data, position: own } of frames.slice(1)) {
					if (type === '@position') position = { epoch: data.epoch, offset: data.offset };
					else {
						expect(own).toMatchObject({ epoch: position.epoch, prev: position.offset });
						position = own;
					}
				}
				expect(framesOf(messagesOf(member)).filter((frame) => typeof frame === 'string')).toEqual(['first', 'second']);
			}
		}
	});
});
