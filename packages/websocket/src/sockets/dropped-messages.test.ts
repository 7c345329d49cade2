import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { MessageDroppedError } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { countOf } from '../test-support/count-of.ts';
import { messagesOf, openNode } from '../test-support/test-node.ts';

const LIMIT = 64 * 1024;
const COUNT = 300;
/** Large messages. A client in this thread reads none of them until the test yields, which is slow enough. */
const message = (i: number): string => `${i} `.padEnd(LIMIT, '.');

const numbersOf = (messages: readonly (string | Uint8Array)[]): number[] =>
	messages.map((text) => Number.parseInt(String(text), 10));

describe('messages over backpressureLimit', () => {
	it.each([
		['in one process', () => undefined],
		['with a bus', () => new MemoryBackend().createBus()],
	])('to one socket are dropped and reject their send, %s', async (_, makeBus) => {
		const bus = makeBus();
		const node = await openNode({ ...(bus && { bus }), backpressureLimit: LIMIT });
		const member = await node.connect();
		const sending = Array.from({ length: COUNT }, (__, i) => node.provider.send(member.id, message(i)));
		const outcomes = await Promise.allSettled(sending);
		const accepted = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
		await member.client.received(accepted.length);
		await node.settled(member);

		expect(accepted.length).toBeLessThan(COUNT);
		expect(numbersOf(messagesOf(member))).toEqual(accepted);
		for (const outcome of outcomes) {
			if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(MessageDroppedError);
		}
		expect(node.log.problems).toEqual([]);
	});

	it.each([
		['with a server set', true],
		['without one', false],
	])('to a topic are dropped and logged, %s', async (_, setServer) => {
		const node = await openNode({ backpressureLimit: LIMIT, setServer });
		const member = await node.connect({ topics: new Set(['t']) });
		const publishing = Array.from({ length: COUNT }, (__, i) => node.provider.publish('t', message(i)));
		await Promise.allSettled(publishing);
		await until(() => member.ws.getBufferedAmount() === 0, { what: 'the client has read its queue' });
		await node.settled(member);

		expect(messagesOf(member).length).toBeLessThan(COUNT);
		expect(node.log.problems.length).toBeGreaterThan(0);
	});

	it('of a broadcast are dropped and logged with their number; other clients receive it', async () => {
		const node = await openNode({ backpressureLimit: LIMIT });
		const [slow, idle] = [await node.connect(), await node.connect()];
		// Sends messages until the client's buffer is full.
		for (let sent = true; sent;) {
			sent = await node.provider.send(slow.id, message(0)).then(
				() => true,
				() => false,
			);
		}
		await node.provider.broadcast('to all');
		await node.settled(idle);

		expect(messagesOf(idle)).toEqual(['to all']);
		expect(node.log.problems).toEqual([
			{ level: 'warn', message: expect.stringContaining('dropped'), details: undefined },
		]);
	});

	it('to a socket of another node are dropped and logged there', async () => {
		const backend = new MemoryBackend();
		const here = await openNode({ bus: backend.createBus() });
		const there = await openNode({ bus: backend.createBus(), backpressureLimit: LIMIT });
		const member = await there.connect();
		const sending = Array.from({ length: COUNT }, (_, i) => here.provider.send(member.id, message(i)));
		await Promise.allSettled(sending);
		const dropped = countOf(there.log, 'error');
		await until(() => messagesOf(member).length >= COUNT - dropped, { what: 'the other messages have arrived' });
		await there.settled(member);

		expect(dropped).toBeGreaterThan(0);
		expect(messagesOf(member)).toHaveLength(COUNT - dropped);
		expect(there.log.problems[0]).toMatchObject({
			level: 'error',
			details: { stage: 'deliver', err: { name: 'MessageDroppedError' } },
		});
	});
});
