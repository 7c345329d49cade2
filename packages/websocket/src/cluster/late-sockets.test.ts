import { until } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { InvalidOptionError, InvalidSocketDataError } from '../index.ts';
import { openPair } from '../test-support/open-nodes.ts';
import { messagesOf, openNode, type TestNode } from '../test-support/test-node.ts';

/** A connection of user 42 that has begun just now, and whose guards have not passed yet. */
const begun = (): { userId: string; connectedAt: number } => ({ userId: '42', connectedAt: Date.now() });

async function later(): Promise<void> {
	const now = Date.now();
	await until(() => Date.now() > now, { what: 'the next millisecond' });
}

describe('an action on a user', () => {
	it('disconnects a socket that is added later, if its connection has begun before', async () => {
		const [here, there] = await openPair();
		const data = begun();
		await later();
		const why = { code: 'banned', message: 'You were banned', reconnect: false };
		const { sockets } = await here.provider.cluster.disconnect({ userId: '42' }, why);
		const { client, ws } = await there.attempt({
			socketId: crypto.randomUUID(),
			topics: [],
			...data,
			subprotocol: 'orijs.1',
		});

		expect(sockets).toBe(0);
		expect(await client.closed).toEqual({ code: 4403, reason: 'banned' });
		expect(client.messages).toEqual([JSON.stringify({ type: '@disconnected', data: why })]);
		expect(there.provider.isConnected(ws.data.socketId)).toBe(false);
	});

	it('disconnects a socket whose connection seems to begin later because the clock has been set back', async () => {
		const node = await openNode();
		await node.provider.cluster.disconnect({ userId: '42' });
		const { client } = await node.attempt({
			socketId: crypto.randomUUID(),
			topics: [],
			userId: '42',
			connectedAt: Date.now() + 60_000,
		});
		expect((await client.closed).code).toBe(4503);
	});

	it('does not concern connections that begin later, or other users', async () => {
		const [here, there] = await openPair();
		const data = begun();
		await here.provider.cluster.disconnect({ userId: '42' });
		await later();
		const members = [
			await there.connect({ userId: '42' }),
			await there.connect(begun()),
			await there.connect({ ...data, userId: '7' }),
			await there.connect({ connectedAt: data.connectedAt }),
		];
		for (const member of members) await there.settled(member);

		expect(members.every(({ id }) => there.provider.isConnected(id))).toBe(true);
	});

	it('is not kept for other targets, and leaves out the excepted sockets', async () => {
		const [here, there] = await openPair();
		const data = begun();
		const socketId = crypto.randomUUID();
		const { cluster } = here.provider;
		await later();
		await cluster.disconnect('all');
		await cluster.disconnect({ socketId });
		await cluster.disconnect({ topic: 't' });
		await cluster.disconnect({ userId: '42' }, { except: socketId });
		const member = await there.connect({ ...data, socketId, topics: new Set(['t']) });
		await there.settled(member);

		expect(there.provider.isConnected(socketId)).toBe(true);
	});

	it('subscribes and unsubscribes late sockets as well, in the order of the actions', async () => {
		const [here, there] = await openPair();
		const data = begun();
		const { cluster } = here.provider;
		await later();
		await cluster.unsubscribe({ userId: '42' }, 'a', { code: 'kicked' });
		await cluster.subscribe({ userId: '42' }, 'b');
		await cluster.subscribe({ userId: '42' }, 'c');
		await cluster.unsubscribe({ userId: '42' }, 'c');
		const member = await there.connect(data);
		// As an application does with what its guards have decided.
		await there.settled(member);
		expect([...member.ws.data.topics]).toEqual(['b']);
	});

	it('comes after what the server subscribes the socket to when it adds it', async () => {
		const node = await openNode({ subprotocol: 'orijs.1' });
		const data = begun();
		await later();
		await node.provider.cluster.unsubscribe({ userId: '42' }, 'a', { code: 'kicked', message: 'Out' });
		const member = await node.connect(data);
		expect([...member.ws.data.topics]).toEqual([]);

		const listed = await node.attempt({ ...data, socketId: crypto.randomUUID(), topics: ['a', 'z'] });
		await listed.added;
		expect([...listed.ws.data.topics]).toEqual(['z']);
		expect(messagesOf(member)).toEqual([]);
	});

	it('is forgotten after the guard timeout', async () => {
		const node = await openNode();
		node.provider.setServer(node.server, { guardTimeoutMs: 50 });
		const data = begun();
		await later();
		await node.provider.cluster.disconnect({ userId: '42' });
		const before = performance.now();
		await until(() => performance.now() - before > 60, { what: 'the time is over' });
		const member = await node.connect(data);
		await node.settled(member);

		expect(node.provider.isConnected(member.id)).toBe(true);
	});

	it('is kept for the longest guard timeout of several servers', async () => {
		const node = await openNode();
		for (const guardTimeoutMs of [50, 5_000, 60]) node.provider.setServer(node.server, { guardTimeoutMs });
		const data = begun();
		await later();
		await node.provider.cluster.disconnect({ userId: '42' });
		const before = performance.now();
		await until(() => performance.now() - before > 80, { what: 'the shorter times are over' });
		const { client } = await node.attempt({ ...data, socketId: crypto.randomUUID(), topics: [] });

		expect((await client.closed).code).toBe(4503);
	});
});

describe('connectedAt', () => {
	it('is set when a socket is added, unless it is known', async () => {
		const node: TestNode = await openNode();
		const before = Date.now();
		const [added, known] = [await node.connect(), await node.connect({ connectedAt: 7 })];

		expect(known.ws.data.connectedAt).toBe(7);
		expect(added.ws.data.connectedAt).toBeGreaterThanOrEqual(before);
		expect(added.ws.data.connectedAt).toBeLessThanOrEqual(Date.now());
	});

	it('needs data that can be added to', async () => {
		const node = await openNode();
		const data = Object.preventExtensions({ socketId: crypto.randomUUID(), data: {}, topics: new Set() });
		await expect((await node.attempt(data)).added).rejects.toThrow(InvalidSocketDataError);
	});

	it.each(['now', null, Number.NaN, new Date()])('must be a time: not %s', async (connectedAt) => {
		const node = await openNode();
		const { added } = await node.attempt({ socketId: crypto.randomUUID(), topics: [], connectedAt });
		await expect(added).rejects.toThrow(InvalidSocketDataError);
	});
});

it.each([0, -1, Number.NaN, '10'])('guardTimeoutMs can not be %s', async (guardTimeoutMs) => {
	const { provider, server } = await openNode();
	expect(() => provider.setServer(server, { guardTimeoutMs: guardTimeoutMs as number })).toThrow(InvalidOptionError);
	expect(() => provider.setServer(server, { addressOf: 'x' as never })).toThrow(InvalidOptionError);
});
