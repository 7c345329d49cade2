import { until } from '@orijs/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Bus } from '../index.ts';
import { MemoryBackend } from '../testing/index.ts';
import { silentHandlers } from '../test-support/silent-handlers.ts';
import { messagesOf, type NodeOptions, openNode, type TestNode } from '../test-support/test-node.ts';
import { ticks } from '../test-support/ticks.ts';
import { encodeGap, encodeMessages, randomOrigin } from '../wire/frame.ts';
import { ForNode } from '../wire/frame-messages.ts';
import { NOTHING_SKIPPED } from './inbound-frames.ts';

const [OLD, NEW] = ['the old secret, long enough for it', 'the new secret, long enough for it'];

let backend: MemoryBackend;
beforeEach(() => void (backend = new MemoryBackend({ liveness: true })));

interface Listening extends TestNode {
	readonly received: string[];
}

async function open(options: NodeOptions = {}): Promise<Listening> {
	const node = await openNode({ bus: backend.createBus(), ...options });
	const received: string[] = [];
	node.provider.onNodeMessage((text) => received.push(text));
	await ticks(5);
	return Object.assign(node, { received });
}

/** Checks whether the second node accepts what the first one sends to it. */
async function reaches(from: Listening, to: Listening): Promise<boolean> {
	const text = crypto.randomUUID();
	await from.provider.sendToNode(to.provider.nodeId, text);
	await ticks(5);
	return to.received.includes(text);
}

/** A program that may publish and subscribe, but does not know the secret. It keeps what it receives. */
async function openIntruder(...channels: string[]): Promise<Bus & { frames: [string, Uint8Array][] }> {
	const bus = backend.createBus();
	const frames: [string, Uint8Array][] = [];
	await bus.start({ ...silentHandlers, deliver: (channel, frame) => frames.push([channel, frame.slice()]) });
	await bus.subscribe(channels);
	return { ...bus, frames };
}

describe('nodes with the same secret', () => {
	it('exchange messages, and notice nothing of it', async () => {
		const [a, b] = [await open({ secret: OLD }), await open({ secret: OLD })];
		const member = await b.connect({ topics: new Set(['t']) });
		await a.provider.publish('t', 'to a topic');
		await a.provider.send(member.id, 'to a socket');
		await a.provider.broadcast('to all');
		await a.provider.sendToNodeOf(member.id, 'to its node');
		expect(await reaches(a, b)).toBe(true);
		await b.settled(member);

		expect(messagesOf(member)).toEqual(['to a topic', 'to a socket', 'to all']);
		expect(b.received).toContain('to its node');
		for (const { provider, log } of [a, b]) {
			expect(provider.getSkippedFrames()).toEqual(NOTHING_SKIPPED);
			expect(log.problems).toEqual([]);
		}
	});

	it('find a dead connection by their own beats, and report gaps of each other', async () => {
		const dying = backend.createBus();
		const [a, b] = [
			await open({ secret: OLD, bus: dying, heartbeatMs: 200 }),
			await open({ secret: OLD, heartbeatMs: 200 }),
		];
		const gaps: unknown[] = [];
		await a.connect({ topics: new Set(['t']) });
		a.provider.onGap((gap) => gaps.push(gap));
		await until(() => b.provider.watermark().lagMs < 500, { what: 'beats arrive' });
		backend.freeze(dying);
		await until(() => gaps.length > 0, { what: 'the dead connection was found' });

		expect(a.provider.getSkippedFrames()).toEqual(NOTHING_SKIPPED);
	});
});

describe('an intruder without the secret', () => {
	it('cannot act on nodes: what it makes up is counted, and logged once', async () => {
		const node = await open({ secret: OLD });
		const gaps: unknown[] = [];
		node.provider.onGap((gap) => gaps.push(gap));
		const member = await node.connect({ topics: new Set(['t']) });
		const sender = { origin: randomOrigin(), shard: 0, incarnation: 0 };
		const all = { everything: true, stored: true, misled: false, since: 0, until: Date.now(), sentAt: Date.now() };
		const intruder = await openIntruder();
		await intruder.publish(`!${node.provider.nodeId}`, encodeMessages(sender, ['made up']));
		await intruder.publish(`@${member.id}`, encodeMessages(sender, [new ForNode('made up')]));
		await intruder.publish('t', encodeMessages(sender, [new ForNode('made up')]));
		await intruder.publish('*', encodeGap(sender, all));
		await ticks(5);
		node.provider.flushGaps();

		expect(node.received).toEqual([]);
		expect(gaps).toEqual([]);
		expect(node.provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, unsigned: 4 });
		expect(node.log.problems).toEqual([
			{ level: 'warn', message: expect.stringContaining('(unsigned)'), details: expect.anything() },
		]);
	});

	it('cannot play frames again, nor on another channel', async () => {
		const [a, b, c] = [await open({ secret: OLD }), await open({ secret: OLD }), await open({ secret: OLD })];
		const toB = `!${b.provider.nodeId}`;
		const intruder = await openIntruder(toB);
		expect(await reaches(a, b)).toBe(true);
		const [, frame] = intruder.frames[0] as [string, Uint8Array];
		await intruder.publish(toB, frame);
		await intruder.publish(`!${c.provider.nodeId}`, frame);
		await ticks(5);

		expect(b.received).toHaveLength(1);
		expect(c.received).toEqual([]);
		expect(b.provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, replayed: 1 });
		expect(c.provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, forged: 1 });
		expect(b.log.problems[0]?.message).toContain('(replayed)');
		expect(c.log.problems[0]?.message).toContain('(forged)');
	});

	it('cannot disconnect a user again with an action that it has recorded', async () => {
		const [a, b] = [await open({ secret: OLD }), await open({ secret: OLD })];
		await b.connect({ userId: 'u' });
		const intruder = await openIntruder('*');
		const action = await a.provider.cluster.disconnect({ userId: 'u' }, { timeoutMs: 100 });
		// The backend counts the intruder as a receiver.
		expect(action).toEqual({ nodes: 3, answered: 2, sockets: 1, unanswered: [] });

		const back = await b.connect({ userId: 'u' });
		const recorded = [...intruder.frames];
		expect(recorded.length).toBeGreaterThan(0);
		for (const [channel, frame] of recorded) await intruder.publish(channel, frame);
		await b.settled(back);
		expect(b.provider.isConnected(back.id)).toBe(true);
		expect(b.provider.getSkippedFrames()).toEqual({ ...NOTHING_SKIPPED, replayed: recorded.length });
	});

	it('can still publish messages for sockets', async () => {
		const node = await open({ secret: OLD });
		const member = await node.connect({ topics: new Set(['t']) });
		const intruder = await openIntruder();
		const sender = { origin: randomOrigin(), shard: 0, incarnation: 0 };
		await intruder.publish('t', encodeMessages(sender, ['not signed']));
		await node.settled(member);

		expect(messagesOf(member)).toEqual(['not signed']);
	});
});

describe('nodes with different secrets', () => {
	it('do not act on each other, and log it', async () => {
		const [a, b] = [await open({ secret: OLD }), await open({ secret: NEW })];
		expect([await reaches(a, b), await reaches(b, a)]).toEqual([false, false]);
		for (const { provider, log } of [a, b]) {
			expect(provider.getSkippedFrames().forged).toBeGreaterThan(0);
			expect(log.problems.map(({ message }) => message)).toEqual([expect.stringContaining('(forged)')]);
		}
	});

	it('are not counted as having done what they were asked', async () => {
		const [a, b] = [await open({ secret: OLD }), await open({ secret: NEW })];
		const member = await b.connect({ userId: 'u' });
		const action = await a.provider.cluster.disconnect({ userId: 'u' }, { timeoutMs: 100 });

		expect(action).toMatchObject({ nodes: 2, answered: 1, sockets: 0 });
		expect(b.provider.isConnected(member.id)).toBe(true);
	});

	it('change it one by one, in three rounds, without a break', async () => {
		const rounds = [OLD, [OLD, NEW], [NEW, OLD], NEW];
		for (let round = 1; round < rounds.length; round++) {
			const before = await open({ secret: rounds[round - 1] as string });
			const after = await open({ secret: rounds[round] as string });
			expect([await reaches(before, after), await reaches(after, before)]).toEqual([true, true]);
			for (const { provider } of [before, after]) expect(provider.getSkippedFrames()).toEqual(NOTHING_SKIPPED);
			await Promise.all([before.close(), after.close()]);
		}
	});
});

describe('a rolling deployment from no secret to one', () => {
	it('has two rounds, without a break', async () => {
		const rounds: NodeOptions[] = [{}, { secret: NEW, acceptUnsigned: true }, { secret: NEW }];
		for (let round = 1; round < rounds.length; round++) {
			const [before, after] = [await open(rounds[round - 1]), await open(rounds[round])];
			expect([await reaches(before, after), await reaches(after, before)]).toEqual([true, true]);
			for (const { provider } of [before, after]) expect(provider.getSkippedFrames()).toEqual(NOTHING_SKIPPED);
			await Promise.all([before.close(), after.close()]);
		}
	});

	it('must not skip the first round: what the nodes without it send is skipped', async () => {
		const [before, after] = [await open(), await open({ secret: NEW })];
		expect([await reaches(before, after), await reaches(after, before)]).toEqual([false, true]);
		expect(after.provider.getSkippedFrames().unsigned).toBeGreaterThan(0);
		expect(after.log.problems.map(({ message }) => message)).toEqual([expect.stringContaining('(unsigned)')]);
	});
});
