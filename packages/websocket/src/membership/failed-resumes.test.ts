import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { HistoryUnavailableError, type Position } from '../index.ts';
import { SUBPROTOCOL } from '../protocol/subprotocol.ts';
import { framesOf } from '../test-support/frames-of.ts';
import { HeldBus } from '../test-support/held-bus.ts';
import { type Member, messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';
import { ticks } from '../test-support/ticks.ts';
import { MemoryBackend } from '../testing/index.ts';

const TOPIC = 'long:1';
const FAULT = new Error('the connection is closed');

interface Fixture {
	readonly held: HeldBus;
	readonly node: TestNode;
	/** A position from which the node has to read the history. */
	readonly start: Position;
}

async function open(subprotocol?: string): Promise<Fixture> {
	const held = new HeldBus(new MemoryBackend());
	const node = await openNode({
		history: { 'long:*': { size: 100, ttlMs: 60_000 } },
		bus: held.bus,
		...(subprotocol !== undefined && { subprotocol }),
	});
	await node.provider.publish(TOPIC, '0');
	const { epoch, offset } = await node.provider.history(TOPIC);
	for (const text of ['1', '2']) await node.provider.publish(TOPIC, text);
	return { held, node, start: { epoch, offset } };
}

/** Returns the texts of the messages, and the topics of the notices, that a client has received. */
async function framesTo({ settled }: TestNode, member: Member): Promise<ReturnType<typeof framesOf>> {
	await settled(member);
	return framesOf(messagesOf(member));
}

async function publish({ provider }: TestNode, member: Member, text: string): Promise<void> {
	await provider.publish(TOPIC, text);
	await until(() => messagesOf(member).some((each) => each === text || framesOf([each])[0] === text), {
		what: `${text} arrives`,
	});
}

describe.each(['server', 'client'] as const)('a client that the %s has subscribed, and that catches up', (by) => {
	it('stays subscribed and live if the history can’t be read, and can try again', async () => {
		const { held, node, start } = await open(SUBPROTOCOL);
		const member = await node.connect();
		if (by === 'server') await node.provider.subscribe(member.id, TOPIC);
		else await node.provider.resume(member.id, TOPIC, {});
		held.readFault = FAULT;
		await expect(node.provider.resume(member.id, TOPIC, { since: start })).rejects.toThrow(HistoryUnavailableError);
		held.readFault = undefined;

		expect([...member.ws.data.topics]).toEqual([TOPIC]);
		await publish(node, member, '3');
		expect(await framesTo(node, member)).toEqual([{ [by === 'server' ? 'subscribed' : 'position']: [TOPIC] }, '3']);
		expect(await node.provider.resume(member.id, TOPIC, { since: start })).toMatchObject({ recovered: true, count: 3 });
		await publish(node, member, '4');
		expect((await framesTo(node, member)).slice(2)).toEqual(['1', '2', '3', { position: [TOPIC] }, '4']);
	});
});

it('a plain socket that catches up stays subscribed and live if the history can’t be read', async () => {
	const { held, node, start } = await open();
	const member = await node.connect();
	await node.provider.subscribe(member.id, TOPIC);
	held.readFault = FAULT;
	await expect(node.provider.resume(member.id, TOPIC, { since: start })).rejects.toThrow(HistoryUnavailableError);
	held.readFault = undefined;
	await publish(node, member, '3');
	expect(messagesOf(member)).toEqual(['3']);
});

it('a client that catches up and is in no other way subscribed leaves if the history can’t be read', async () => {
	const { held, node, start } = await open(SUBPROTOCOL);
	const member = await node.connect();
	held.readFault = FAULT;
	const calls = [{ since: start }, { rewind: 1 }].map((from) => node.provider.resume(member.id, TOPIC, from));
	const [first, second] = await Promise.allSettled(calls);
	expect(first).toEqual({ status: 'fulfilled', value: undefined });
	expect(second).toMatchObject({ status: 'rejected', reason: expect.any(HistoryUnavailableError) });
	expect([...member.ws.data.topics]).toEqual([]);
	expect(await framesTo(node, member)).toEqual([{ unsubscribed: [TOPIC] }]);
});

it('a client that catches up while the backend is away is then subscribed by the server, if that wants it', async () => {
	const backend = new MemoryBackend();
	const held = new HeldBus(backend);
	const node = await openNode({
		history: { 'long:*': { size: 100, ttlMs: 60_000 } },
		bus: held.bus,
		subprotocol: SUBPROTOCOL,
	});
	const { epoch, offset } = await node.provider.history(TOPIC);
	const member = await node.connect();
	held.readFault = FAULT;
	const caughtUp = node.provider.resume(member.id, TOPIC, { since: { epoch, offset } });
	const subscribed = node.provider.subscribe(member.id, TOPIC);
	await until(() => held.reads > 1, { what: 'the history is read' });
	backend.cut(held.inner);
	await expect(caughtUp).rejects.toThrow(HistoryUnavailableError);
	await ticks(5);
	expect([...member.ws.data.topics]).toEqual([TOPIC]);
	held.readFault = undefined;
	backend.restore(held.inner);
	await subscribed;
	await publish(node, member, '1');
	expect(await framesTo(node, member)).toEqual([{ subscribed: [TOPIC] }, { position: [TOPIC] }, '1']);
});
