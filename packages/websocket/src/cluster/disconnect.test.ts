import { describe, expect, it } from 'vitest';
import { readRetryHint } from '../protocol/closing.ts';
import { openPair } from '../test-support/open-nodes.ts';
import { messagesOf, openNode } from '../test-support/test-node.ts';

describe('cluster.disconnect', () => {
	it('for good: tells the client why, then closes its connection with a final code', async () => {
		const [here, there] = await openPair();
		const member = await there.connect({ userId: '42' });
		const why = { code: 'banned', message: 'You were banned', reconnect: false };
		const result = await here.provider.cluster.disconnect({ userId: '42' }, why);

		expect(result).toEqual({ nodes: 2, answered: 2, unanswered: [], sockets: 1 });
		expect(there.provider.isConnected(member.id)).toBe(false);
		expect(await member.client.closed).toEqual({ code: 4403, reason: 'banned' });
		expect(messagesOf(member).map((text) => JSON.parse(text as string) as unknown)).toEqual([
			{ type: '@disconnected', data: why },
		]);
	});

	it('by default lets the client come back, after a random delay', async () => {
		const [here, there] = await openPair();
		const members = await Promise.all(Array.from({ length: 20 }, () => there.connect()));
		await here.provider.cluster.disconnect('all');
		const delays = new Set<number>();
		for (const { client } of members) {
			const { code, reason } = await client.closed;
			expect([code, reason]).toEqual([4503, expect.stringMatching(/^disconnected; retry-after-ms=\d+$/)]);
			const delay = readRetryHint(reason) ?? 0;
			expect(delay >= 50 && delay <= 550).toBe(true);
			delays.add(delay);
		}

		expect(delays.size).toBeGreaterThan(1);
		expect(JSON.parse(messagesOf(members[0] as never)[0] as string)).toEqual({
			type: '@disconnected',
			data: { code: 'disconnected', message: 'The server has disconnected you', reconnect: true },
		});
	});

	it('sends plain clients nothing but the close', async () => {
		const [here, there] = await openPair({ subprotocol: '' });
		const member = await there.connect();
		await here.provider.cluster.disconnect({ socketId: member.id }, { code: 'x', reconnect: false });

		expect(await member.client.closed).toEqual({ code: 4403, reason: 'x' });
		expect(messagesOf(member)).toEqual([]);
	});

	it('comes after what was sent to the socket before, and before what follows', async () => {
		const [here, there] = await openPair();
		const member = await there.connect();
		void here.provider.broadcast('before');
		void here.provider.cluster.disconnect('all', { reconnect: false });
		await here.provider.broadcast('after');
		await member.client.closed;

		expect(messagesOf(member)).toHaveLength(2);
		expect(messagesOf(member)[0]).toContain('before');
		expect(messagesOf(member)[1]).toContain('@disconnected');
	});

	it('does not count sockets that are closing already', async () => {
		const node = await openNode();
		const member = await node.connect();
		const [first, second] = [node.provider.cluster.disconnect('all'), node.provider.cluster.disconnect('all')];

		expect([(await first).sockets, (await second).sockets]).toEqual([1, 0]);
		await member.client.closed;
	});
});
