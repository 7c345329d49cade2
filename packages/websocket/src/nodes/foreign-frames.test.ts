import { beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../index.ts';
import { encodeMessages, randomOrigin } from '../wire/frame.ts';
import { directChannel } from '../wire/channel-names.ts';
import { MemoryBackend } from '../testing/index.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { NOTHING_SKIPPED } from './inbound-frames.ts';
import { silentHandlers } from '../test-support/silent-handlers.ts';

describe('frames of unknown origin', () => {
	/** Publishes frames on behalf of a program that is not part of this system. */
	let raw: Bus;
	let node: TestNode;
	let member: Member;

	beforeEach(async () => {
		const backend = new MemoryBackend();
		raw = backend.createBus();
		await raw.start(silentHandlers);
		node = await openNode({ bus: backend.createBus() });
		member = await node.connect({ topics: new Set(['t']) });
	});

	const good = (...messages: (string | Uint8Array)[]): Uint8Array =>
		encodeMessages({ origin: randomOrigin(), shard: 0, incarnation: 0 }, messages);

	it('of another node are delivered on every kind of channel', async () => {
		await raw.publish('t', good('1', '2'));
		await raw.publish(directChannel(member.id), good('3'));
		await raw.publish('*', good('4', new Uint8Array([5])));
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['1', '2', '3', '4', new Uint8Array([5])]);
	});

	it('of an unknown version are counted, logged once, and disturb nothing', async () => {
		const future = good('from the future');
		future[0] = 2;
		for (const channel of ['t', '*', directChannel(member.id)]) await raw.publish(channel, future);
		await raw.publish('t', good('from today'));
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['from today']);
		expect(node.provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, 'unknown-version': 3 });
		expect(node.log.problems).toEqual([
			{ level: 'warn', message: expect.stringContaining('unknown-version'), details: { channel: 't' } },
		]);
	});

	it('that are garbage are counted, logged once, and disturb nothing', async () => {
		const cut = good('cut off').slice(0, -1);
		const garbage = [new Uint8Array(), new Uint8Array([1]), cut, Buffer.concat([good(), Buffer.from('{"json":true}')])];
		for (const frame of garbage) await raw.publish('t', frame);
		await raw.publish('t', good('fine'));
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['fine']);
		expect(node.provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, malformed: garbage.length });
		expect(node.log.problems).toEqual([
			{ level: 'warn', message: expect.stringContaining('malformed'), details: { channel: 't' } },
		]);
	});

	it('of both kinds are logged once each', async () => {
		for (let i = 0; i < 5; i++) {
			await raw.publish('t', new TextEncoder().encode('{"type":"message"}'));
			await raw.publish('t', new Uint8Array([1, 2]));
		}

		expect(node.provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, 'unknown-version': 5, malformed: 5 });
		expect(node.log.problems).toHaveLength(2);
	});

	it('without messages deliver nothing', async () => {
		await raw.publish('t', good());
		await raw.publish('t', good('after'));
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['after']);
		expect(node.log.problems).toEqual([]);
	});

	it('are counted in a snapshot that the caller cannot change', async () => {
		const before = node.provider.getSkippedFrames();
		await raw.publish('t', new Uint8Array());

		expect(before.malformed).toBe(0);
		expect(node.provider.getSkippedFrames().malformed).toBe(1);
	});
});
