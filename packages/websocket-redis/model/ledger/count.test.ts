import { describe, expect, it } from 'vitest';
import { count } from './count.ts';
import { ALL, allBut, ledgerWith } from './ledger-fixture.ts';
import type { Receiver, ToldGap } from './records.ts';

const NOTHING_WRONG = {
	clients: { expected: 10, missing: 0, silent: 0 },
	nodes: { expected: 10, missing: 0, silent: 0 },
	duplicates: 0,
	inversions: 0,
	ghosts: 0,
	violations: [],
};

it.each(['plain:0', 'kept:0'])('a run in which all is well on %s counts no violation', (channel) => {
	expect(count(ledgerWith({ channel }))).toEqual(NOTHING_WRONG);
});

describe.each(['plain:0', 'kept:0'])('losses on %s', (channel) => {
	it('in no gap are silent', () => {
		expect(count(ledgerWith({ channel, client: allBut(4) }))).toMatchObject({
			clients: { missing: 1, silent: 1 },
			nodes: { missing: 0 },
			violations: [{ kind: 'silent loss', receiver: 'client', message: { n: 4 } }],
		});
		expect(count(ledgerWith({ channel, node: allBut(4, 5) }))).toMatchObject({
			clients: { missing: 0 },
			nodes: { missing: 2, silent: 2 },
		});
	});

	it('in a gap that was told are not silent', () => {
		const ledger = ledgerWith({ channel, client: allBut(4), clientGaps: [{ since: 5_000, until: 5_000 }] });
		expect(count(ledger)).toMatchObject({ clients: { missing: 1, silent: 0 } });
	});

	it.each([
		['that ends before', { until: 4_999 }],
		['that begins after', { since: 5_001 }],
		['of another topic', { topic: 'plain:1' }],
		['that was told before the message was published', { at: 4_999 }],
		['that was told long after it', { at: 65_001 }],
	])('are silent if the gap is one %s', (_, gap) => {
		const ledger = ledgerWith({ channel, client: allBut(4), clientGaps: [gap] });
		expect(count(ledger)).toMatchObject({ clients: { missing: 1, silent: 1 } });
	});

	it('are not told by a gap of another receiver', () => {
		expect(count(ledgerWith({ channel, client: allBut(4), nodeGaps: [{}] })).clients.silent).toBe(1);
	});

	it("are told by the publisher's clock", () => {
		const clientGaps = [{ since: 4_900, until: 5_100 }];
		const client = allBut(4);
		expect(count(ledgerWith({ channel, client, clientGaps, clockMs: 60_000 })).clients.silent).toBe(1);
		const there = clientGaps.map(({ since, until }) => ({ since: since + 60_000, until: until + 60_000 }));
		expect(count(ledgerWith({ channel, client, clientGaps: there, clockMs: 60_000 })).clients.silent).toBe(0);
	});
});

describe('what is expected', () => {
	it('begins with the confirmation of the subscription', () => {
		const ledger = ledgerWith({ client: allBut(0, 1, 2), subscription: { from: 3_500 } });
		expect(count(ledger).clients).toEqual({ expected: 7, missing: 0, silent: 0 });
	});

	it('is nothing if the subscription was never confirmed', () => {
		const ledger = ledgerWith({ client: [], subscription: { from: Infinity } });
		expect(count(ledger).clients.expected).toBe(0);
	});

	it('ends some time before the receiver leaves', () => {
		expect(count(ledgerWith({ client: allBut(9), subscription: { until: 10_000 } })).clients.silent).toBe(1);
		expect(count(ledgerWith({ client: allBut(9), subscription: { until: 9_999 } })).clients.silent).toBe(0);
	});

	it('is not, on a topic with history, what was rejected and reached no client', () => {
		const rejected = { channel: 'kept:0', client: allBut(4), node: allBut(4) };
		expect(count(ledgerWith({ ...rejected, outcomes: { 4: 'rejected' } })).clients.missing).toBe(0);
		expect(count(ledgerWith({ ...rejected, outcomes: { 4: 'accepted' } })).clients.silent).toBe(1);
		expect(count(ledgerWith({ ...rejected, node: ALL, outcomes: { 4: 'rejected' } })).clients.silent).toBe(1);
	});

	it('is, on a plain topic, what was rejected', () => {
		expect(count(ledgerWith({ client: allBut(4), outcomes: { 4: 'rejected' } })).clients.silent).toBe(1);
	});

	it('is not what a stopped provider refused', () => {
		expect(count(ledgerWith({ client: allBut(4), outcomes: { 4: 'refused' } })).clients.silent).toBe(0);
	});

	it("is not, by a node's socket, what its own process published", () => {
		const { published, receivers } = ledgerWith({ node: allBut(4) });
		const own = receivers.map((receiver) => (receiver.kind === 'node' ? { ...receiver, name: 'a1' } : receiver));
		expect(count({ published, receivers: own }).nodes).toEqual({ expected: 0, missing: 0, silent: 0 });
	});

	it('is, of messages to one client, what was sent to its connection', () => {
		const sent = (socketId: string) => {
			const { published, receivers } = ledgerWith({
				channel: '@client',
				client: allBut(4),
				subscription: { socketId: 'x' },
			});
			const [client] = receivers;
			const addressed = published.map((message) => ({ ...message, socketId: message.n === 4 ? socketId : 'x' }));
			return count({ published: addressed, receivers: client === undefined ? [] : [client] }).clients;
		};
		expect(sent('x')).toEqual({ expected: 10, missing: 1, silent: 1 });
		expect(sent('y')).toEqual({ expected: 9, missing: 0, silent: 0 });
	});

	it('is told, of broadcasts and messages to one client, by a gap of `*`', () => {
		for (const channel of ['*', '@client']) {
			const ledger = ledgerWith({ channel, client: allBut(4), clientGaps: [{ topic: '*' }] });
			expect(count(ledger).clients).toMatchObject({ missing: 1, silent: 0 });
		}
	});
});

describe('the order', () => {
	it.each(['plain:0', 'kept:0'])('counts duplicates on %s', (channel) => {
		expect(count(ledgerWith({ channel, client: [0, 1, 2, 2, ...allBut(0, 1, 2)] }))).toMatchObject({
			duplicates: 1,
			inversions: 0,
			violations: [
				{
					kind: 'duplicate',
					receiver: 'client',
					message: { n: 2 },
					detail: 'it had come 1000 ms before, over the same connection',
				},
			],
		});
	});

	it('allows that a client that came to another node gets a plain message again', () => {
		const again = { n: 9, connection: 2 };
		expect(count(ledgerWith({ channel: 'plain:0', extra: [again] })).duplicates).toBe(0);
		expect(count(ledgerWith({ channel: 'plain:0', extra: [again, again] })).duplicates).toBe(1);
		const position = { epoch: 'one', offset: 100 };
		const recovered = { ...again, subscription: 1, position };
		expect(count(ledgerWith({ channel: 'kept:0', extra: [recovered] }))).toMatchObject({
			duplicates: 1,
			violations: [{ detail: 'it had come 995 ms before, over another connection' }],
		});
	});

	it('is that of one subscription to a history, as the position is discarded with it', () => {
		const { published, receivers } = ledgerWith({ channel: 'kept:0' });
		const [client] = receivers;
		if (client === undefined) throw new Error('the fixture has two receivers');
		const [first] = client.subscriptions;
		if (first === undefined) throw new Error('the client has a subscription');
		const again = { at: 12_000, channel: 'kept:0', by: 'a1', n: 3, position: { epoch: 'one', offset: 40 } };
		const counted = (subscription: number) =>
			count({
				published,
				receivers: [
					{
						...client,
						subscriptions: [first, { ...first, id: 2 }],
						deliveries: [...client.deliveries, { ...again, subscription }],
					},
				],
			});
		expect(counted(1)).toMatchObject({ duplicates: 1 });
		expect(counted(2)).toMatchObject({ duplicates: 0, inversions: 0 });
	});

	it.each(['plain:0', 'kept:0'])('counts inversions on %s', (channel) => {
		expect(count(ledgerWith({ channel, client: [0, 1, 3, 2, ...allBut(0, 1, 2, 3)] }))).toMatchObject({
			duplicates: 0,
			inversions: 1,
			violations: [{ kind: 'inversion', receiver: 'client', message: { n: 2 } }],
		});
	});

	it('is one for all on a topic with history, also between publishers', () => {
		const { published, receivers } = ledgerWith({ channel: 'kept:0' });
		const other = { by: 'c1', channel: 'kept:0', n: 0, at: 1_500, stamps: [1_500], outcome: 'accepted' } as const;
		const withOther = (offset: number, index: number) =>
			receivers.map((receiver) => {
				const deliveries = [...receiver.deliveries];
				deliveries.splice(index, 0, {
					at: 1_600,
					channel: 'kept:0',
					by: 'c1',
					n: 0,
					subscription: 1,
					position: { epoch: 'one', offset },
				});
				return { ...receiver, deliveries };
			});
		const inversions = (offset: number, index: number): number =>
			count({ published: [...published, other], receivers: withOther(offset, index) }).inversions;
		expect(inversions(15, 1)).toBe(0);
		// After the message of offset 20, on both receivers.
		expect(inversions(15, 2)).toBe(2);
	});

	it('may go back to an earlier position where a loss was told', () => {
		const { published, receivers } = ledgerWith({ channel: 'kept:0' });
		// The fifth message, at 5,005, has the position of another copy of the history.
		const deliveries = receivers[0]?.deliveries.map((delivery) =>
			delivery.n >= 4 ? { ...delivery, position: { epoch: 'one', offset: delivery.n * 10 - 9 } } : delivery,
		);
		const inversions = (gaps: readonly ToldGap[], unrecovered: Receiver['unrecovered'] = []): number => {
			const [client] = receivers;
			if (client === undefined || deliveries === undefined) throw new Error('the fixture has two receivers');
			return count({ published, receivers: [{ ...client, deliveries, gaps, unrecovered }] }).inversions;
		};
		const gap = { topic: 'kept:0', since: 0, until: 5_000 };
		expect(inversions([])).toBe(1);
		expect(inversions([{ ...gap, at: 4_500 }])).toBe(0);
		expect(inversions([{ ...gap, at: 2_500 }])).toBe(1);
		expect(inversions([{ ...gap, at: 6_000 }])).toBe(1);
		expect(inversions([{ ...gap, at: 4_500, topic: 'kept:1' }])).toBe(1);
		expect(inversions([], [{ topic: 'kept:0', at: 4_500 }])).toBe(0);
		expect(inversions([], [{ topic: 'kept:0', at: 6_000 }])).toBe(1);
	});

	it('is broken by two messages at one position', () => {
		const { published, receivers } = ledgerWith({ channel: 'kept:0' });
		const [client, node] = receivers;
		if (client === undefined || node === undefined) throw new Error('the fixture has two receivers');
		const swapped = node.deliveries.map((delivery) =>
			delivery.n === 9 ? { ...delivery, position: { epoch: 'one', offset: 101 } } : delivery,
		);
		const shifted = client.deliveries.map((delivery) =>
			delivery.n === 8 ? { ...delivery, position: { epoch: 'one', offset: 91 } } : delivery,
		);
		expect(count({ published, receivers: [client, { ...node, deliveries: swapped }] }).inversions).toBe(0);
		const clash = shifted.map((delivery) =>
			delivery.n === 9 ? { ...delivery, position: { epoch: 'one', offset: 101 } } : delivery,
		);
		expect(count({ published, receivers: [{ ...client, deliveries: clash }, node] }).inversions).toBe(0);
		const same = node.deliveries.map((delivery) => ({ ...delivery, n: delivery.n === 9 ? 8 : delivery.n }));
		expect(count({ published, receivers: [client, { ...node, deliveries: same }] }).inversions).toBe(1);
	});
});

describe('ghosts', () => {
	const ghosts = (deviation: Parameters<typeof ledgerWith>[0]): (string | undefined)[] =>
		count(ledgerWith(deviation)).violations.flatMap(({ kind, detail }) => (kind === 'ghost' ? [detail] : []));

	it('are messages that a listener gets after its subscription was given up', () => {
		const ended = { ended: 10_002, until: 10_002, gone: 10_100 };
		expect(ghosts({ subscription: ended })).toEqual(['a listener was called after the subscription was given up']);
		expect(ghosts({ subscription: { ...ended, ended: 10_006 } })).toEqual([]);
	});

	it('are messages that arrive after the server has confirmed the end', () => {
		const client = allBut(9);
		const ended = { ended: 10_000, until: 10_000, gone: 10_500 };
		expect(ghosts({ client, subscription: ended, extra: [{ at: 10_400 }] })).toEqual([]);
		expect(ghosts({ client, subscription: ended, extra: [{ at: 10_600 }] })).toEqual([
			'it came after the subscription had ended',
		]);
	});

	it('are messages of a topic that the receiver never subscribed to', () => {
		const { published, receivers } = ledgerWith();
		const [client] = receivers;
		if (client === undefined) throw new Error('the fixture has two receivers');
		const stranger = { ...client, subscriptions: [], deliveries: client.deliveries.slice(0, 1) };
		const unasked = stranger.deliveries.map(({ subscription: _, ...delivery }) => delivery);
		expect(count({ published, receivers: [{ ...stranger, deliveries: unasked }] }).ghosts).toBe(1);
	});

	it('are messages that were never published, or to another client', () => {
		expect(ghosts({ extra: [{ n: 10 }] })).toEqual(['it was never published']);
		expect(ghosts({ channel: '@other', client: [], subscription: { channel: '@client' }, extra: [{}] })).toEqual([
			'it was not sent to client',
		]);
	});
});
