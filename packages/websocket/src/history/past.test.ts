import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import type { Position, ResumeFrom } from '../index.ts';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { framesOf } from '../test-support/frames-of.ts';
import { HeldBus } from '../test-support/held-bus.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { ticks } from '../test-support/ticks.ts';
import { MemoryBackend } from '../testing/index.ts';

const HISTORY = { 'long:*': { size: 100, ttlMs: 60_000 } };
const TOPIC = 'long:1';

type Kind = 'one process' | 'two nodes';

async function openKind(kind: Kind): Promise<{ node: TestNode; held: HeldBus | undefined }> {
	const held = kind === 'two nodes' ? new HeldBus(new MemoryBackend()) : undefined;
	const node = await openNode({ history: HISTORY, subprotocol: SUBPROTOCOL, ...(held && { bus: held.bus }) });
	return { node, held };
}

async function publish({ provider }: TestNode, ...texts: readonly string[]): Promise<void> {
	for (const text of texts) await provider.publish(TOPIC, text);
}

/** Returns the texts that a client has received. */
async function textsTo({ settled }: TestNode, member: Member): Promise<readonly unknown[]> {
	await settled(member);
	return framesOf(messagesOf(member)).filter((frame) => typeof frame === 'string');
}

/** Returns where the topic stands. */
async function positionOf({ provider }: TestNode): Promise<Position> {
	const { epoch, offset } = await provider.history(TOPIC);
	return { epoch, offset };
}

async function subscribedWithoutPast(node: TestNode): Promise<Member> {
	const member = await node.connect();
	await node.provider.subscribe(member.id, TOPIC, { past: false });
	return member;
}

describe.each<Kind>(['one process', 'two nodes'])('a client that is subscribed without the past, in %s', (kind) => {
	it('receives what follows', async () => {
		const { node } = await openKind(kind);
		await publish(node, 'secret');
		const member = await subscribedWithoutPast(node);
		await publish(node, 'open');
		await until(() => member.client.texts.some((text) => text.includes('"open"')), { what: 'it arrives' });
		expect(await textsTo(node, member)).toEqual(['open']);
		expect(node.provider.isWithoutPast(member.id, TOPIC)).toBe(true);
		await node.provider.unsubscribe(member.id, TOPIC);
		expect(node.provider.isWithoutPast(member.id, TOPIC)).toBe(false);
	});

	const forged: readonly [string, (before: Position, provisional: string) => ResumeFrom][] = [
		['the start', ({ epoch }) => ({ since: { epoch, offset: 0 } })],
		['a position before', (before) => ({ since: before })],
		['a position before, or the latest', (before) => ({ since: before, rewind: 100 })],
		['another epoch', () => ({ since: { epoch: 'other', offset: 0 } })],
		['another epoch, or the latest', () => ({ since: { epoch: 'other', offset: 0 }, rewind: 100 })],
		['before the first message', (_, epoch) => ({ since: { epoch, offset: 0 } })],
		['a later provisional epoch', (_, epoch) => ({ since: { epoch: epoch.replace(/\d+$/, '999'), offset: 0 } })],
		['the latest', () => ({ rewind: 100 })],
	];
	it.each(forged)('gets nothing from before, from %s', async (_, from) => {
		const { node } = await openKind(kind);
		const provisional = await positionOf(node);
		await publish(node, 'secret 1');
		const before = await positionOf(node);
		await publish(node, 'secret 2');
		const member = await subscribedWithoutPast(node);
		for (const when of ['before the first', 'after one']) {
			const wanted = from(before, provisional.epoch);
			const recovery = await node.provider.resume(member.id, TOPIC, wanted);
			expect([when, recovery?.recovered]).toEqual([when, wanted.since === undefined ? undefined : false]);
			await publish(node, `open ${when}`);
		}
		const texts = await textsTo(node, member);
		expect(texts.filter((text) => String(text).startsWith('secret'))).toEqual([]);
		expect(texts.filter((text) => text === 'open after one')).toHaveLength(1);
	});

	it('resumes from any position since then', async () => {
		const { node } = await openKind(kind);
		await publish(node, 'secret');
		const start = await positionOf(node);
		const member = await subscribedWithoutPast(node);
		await publish(node, 'open 1');
		const first = await positionOf(node);
		await publish(node, 'open 2');
		for (const since of [start, first]) {
			expect(await node.provider.resume(member.id, TOPIC, { since })).toMatchObject({ recovered: true });
		}
		expect(await textsTo(node, member)).toEqual(['open 1', 'open 2', 'open 1', 'open 2', 'open 2']);
		expect(await node.provider.resume(member.id, TOPIC, { rewind: 100 })).toMatchObject({ count: 2 });
	});

	it('gets all of it if it is entitled', async () => {
		const { node } = await openKind(kind);
		const start = await positionOf(node);
		await publish(node, 'past');
		const member = await subscribedWithoutPast(node);
		const recovery = await node.provider.resume(member.id, TOPIC, { since: start, isEntitled: true });
		expect(recovery).toMatchObject({ recovered: true, count: 1 });
		// The next call is decided again.
		expect(await node.provider.resume(member.id, TOPIC, { since: start })).toMatchObject({ recovered: false });
	});

	it('gets it once the server has subscribed it with the past, or again', async () => {
		const { node } = await openKind(kind);
		const start = await positionOf(node);
		await publish(node, 'past');
		const member = await subscribedWithoutPast(node);
		await node.provider.subscribe(member.id, TOPIC, { by: 'client' });
		await node.provider.subscribe(member.id, TOPIC, { past: false });
		expect(await node.provider.resume(member.id, TOPIC, { since: start })).toMatchObject({ recovered: false });
		await node.provider.subscribe(member.id, TOPIC);
		expect(await node.provider.resume(member.id, TOPIC, { since: start })).toMatchObject({ recovered: true });

		// One that may have the past already does not lose it.
		await node.provider.subscribe(member.id, TOPIC, { past: false });
		expect(await node.provider.resume(member.id, TOPIC, { since: start })).toMatchObject({ recovered: true });
		await node.provider.unsubscribe(member.id, TOPIC);
		await node.provider.subscribe(member.id, TOPIC, { past: false });
		expect(await node.provider.resume(member.id, TOPIC, { since: start })).toMatchObject({ recovered: false });
	});

	it('before the first message, receives all of them, also after its epoch has begun', async () => {
		const { node } = await openKind(kind);
		const start = await positionOf(node);
		const member = await subscribedWithoutPast(node);
		expect(await node.provider.resume(member.id, TOPIC, { since: start })).toMatchObject({ recovered: true });
		await publish(node, 'first');
		const { epoch } = await positionOf(node);
		for (const since of [start, { epoch, offset: 0 }]) {
			expect(await node.provider.resume(member.id, TOPIC, { since })).toMatchObject({ recovered: true, count: 1 });
		}
	});
});

it.each([{ since: true }, { since: true, rewind: 9 }, { rewind: 9 }])(
	'a client that is not live yet gets nothing from before, from %j',
	async (wanted) => {
		const { node, held } = await openKind('two nodes');
		const start = await positionOf(node);
		await publish(node, 'secret');
		const member = await node.connect();
		const answer = held?.hold();
		const subscribed = node.provider.subscribe(member.id, TOPIC, { past: false });
		const resumed = node.provider.resume(member.id, TOPIC, {
			...wanted,
			since: wanted.since === true ? start : undefined,
		});
		await ticks(5);
		answer?.();
		await Promise.all([subscribed, resumed]);
		await publish(node, 'open');
		await until(() => member.client.texts.some((text) => text.includes('"open"')), { what: 'the next one arrives' });
		expect(await textsTo(node, member)).toEqual(['open']);
	},
);
