import { describe, expect, it } from 'vitest';
import type { ClientEntry, ClientEvent } from '../clients/protocol.ts';
import type { NodeEntry } from '../node/protocol.ts';
import { clientReceivers, LEAVING_MS } from './client-records.ts';
import { nodeReceiver, publishedBy } from './node-records.ts';

const END = 1_000_000;

function client(...events: readonly (ClientEvent & { readonly at: number })[]) {
	const entries = events.map((event): ClientEntry => ({ client: 'x', ...event }));
	const [receiver] = clientReceivers(entries, END);
	if (receiver === undefined) throw new Error('there is no client');
	const of = (channel: string) => receiver.subscriptions.filter((each) => each.channel === channel);
	return { ...receiver, of };
}

const READY = { do: 'ready', at: 100, socketId: 'one' } as const;
const SUBSCRIBED = [
	{ do: 'subscribe', at: 200, id: 1, channel: 'plain:0' },
	{ do: 'subscribed', at: 300, id: 1 },
] as const;

describe('the record of a client', () => {
	it('has its subscriptions from request and confirmation to the end', () => {
		expect(client(READY, ...SUBSCRIBED).of('plain:0')).toEqual([
			{ id: 1, channel: 'plain:0', requested: 200, from: 300, until: Infinity, ended: Infinity, gone: Infinity },
		]);
	});

	it('expects nothing of a subscription that was not confirmed', () => {
		expect(client(READY, SUBSCRIBED[0]).of('plain:0')).toMatchObject([{ from: Infinity }]);
	});

	it('expects messages until some time before it unsubscribes', () => {
		const events = [
			{ do: 'unsubscribe', at: 90_000, id: 1 },
			{ do: 'unsubscribed', at: 90_100, id: 1 },
		] as const;
		expect(client(READY, ...SUBSCRIBED, ...events).of('plain:0')).toMatchObject([
			{ until: 90_000 - LEAVING_MS, ended: 90_000, gone: 90_100 },
		]);
	});

	it('expects messages until some time before it was last connected, if it leaves without a connection', () => {
		const events = [
			{ do: 'lost', at: 85_000, why: '' },
			{ do: 'unsubscribe', at: 90_000, id: 1 },
		] as const;
		expect(client(READY, ...SUBSCRIBED, ...events).of('plain:0')).toMatchObject([{ until: 85_000 - LEAVING_MS }]);
		const again = { ...READY, at: 86_000, socketId: 'two' };
		expect(client(READY, ...SUBSCRIBED, events[0], again, events[1]).of('plain:0')).toMatchObject([
			{ until: 90_000 - LEAVING_MS },
		]);
	});

	it('expects everything of a subscription that ends after the run', () => {
		const left = { do: 'unsubscribe', at: END + 1, id: 1 } as const;
		expect(client(READY, ...SUBSCRIBED, left).of('plain:0')).toMatchObject([{ until: Infinity, ended: END + 1 }]);
	});

	it('has broadcasts from the first connection until it closes', () => {
		const events = [
			{ do: 'lost', at: 85_000, why: '' },
			{ ...READY, at: 86_000, socketId: 'two' },
			{ do: 'closing', at: 90_000 },
			{ do: 'closed', at: 90_010 },
		] as const;
		expect(client(READY, ...SUBSCRIBED, ...events).of('*')).toMatchObject([
			{ from: 100, until: 90_000 - LEAVING_MS, ended: 90_010, gone: 90_010 },
		]);
	});

	it('has messages to each of its connections until it is lost', () => {
		const events = [
			{ do: 'lost', at: 85_000, why: '' },
			{ ...READY, at: 86_000, socketId: 'two' },
		] as const;
		expect(client(READY, ...events).of('@x')).toMatchObject([
			{ socketId: 'one', from: 100, until: 85_000 },
			{ socketId: 'two', from: 86_000, until: Infinity },
		]);
	});
});

describe('the record of a node', () => {
	const publish = { do: 'publish', at: 10, channel: 'plain:0', n: 0, stamp: 5_010 } as const;
	const journal = (entries: readonly NodeEntry[], isLast = true) => ({
		process: 'a1',
		entries,
		isLast,
		ledElsewhere: [{ from: 5_000, until: 9_000 }],
	});

	it('has what it published, with both readings of its clock and the outcome', () => {
		const message = { by: 'a1', channel: 'plain:0', n: 0, at: 10, socketId: undefined };
		expect(publishedBy(journal([publish]))).toEqual([{ ...message, stamps: [5_010], outcome: 'pending' }]);
		const entries: NodeEntry[] = [
			publish,
			{ do: 'called', channel: 'plain:0', n: 0, stamp: 5_011 },
			{ do: 'outcome', channel: 'plain:0', n: 0, outcome: 'rejected' },
		];
		expect(publishedBy(journal(entries))).toEqual([{ ...message, stamps: [5_010, 5_011], outcome: 'rejected' }]);
	});

	it('has the time by the former clock only if the clock was set right before the process was killed', () => {
		const at = (ms: number, stamp: number, n: number) => ({ ...publish, at: ms, stamp, n });
		const before = at(10_000, 15_000, 0);
		const set = at(10_400, 90_400, 1);
		const stampsOf = (...args: Parameters<typeof journal>) => publishedBy(journal(...args)).map(({ stamps }) => stamps);
		expect(stampsOf([before, set], false)).toEqual([[15_000], [90_400, 15_400]]);
		expect(stampsOf([before, set], true)).toEqual([[15_000], [90_400]]);
		const stopped = { do: 'stopped', at: 10_500, pending: 0 } as const;
		expect(stampsOf([before, set, stopped], false)).toEqual([[15_000], [90_400]]);
		const later = at(11_300, 91_300, 2);
		expect(stampsOf([before, set, later], false)).toEqual([[15_000], [90_400], [91_300]]);
	});

	it('has the time by the clock as it was before the process was cut off, if it ended without a way back', () => {
		const at = (ms: number, stamp: number, n: number) => ({ ...publish, at: ms, stamp, n });
		const status = (ms: number, is: 'ready' | 'degraded' | 'stopped') =>
			({ do: 'status', at: ms, status: is }) as const;
		const entries = [status(9_000, 'ready'), at(10_000, 15_000, 0), status(10_500, 'degraded'), at(20_000, 100_000, 1)];
		const stampsOf = (...args: Parameters<typeof journal>) => publishedBy(journal(...args)).map(({ stamps }) => stamps);
		expect(stampsOf([...entries, status(21_000, 'stopped')], false)).toEqual([[15_000], [100_000, 25_000]]);
		expect(stampsOf([...entries, status(21_000, 'ready')], false)).toEqual([[15_000], [100_000]]);
		expect(stampsOf(entries, true)).toEqual([[15_000], [100_000]]);
	});

	it('has marked what it stored elsewhere, if it stopped while it was led there', () => {
		const outcomesOf = (stoppedAt: number) =>
			publishedBy(
				journal(
					[
						{ ...publish, at: 4_999, channel: 'kept:0', n: 0 },
						{ ...publish, at: 5_001, channel: 'kept:0', n: 1 },
						{ ...publish, at: 5_001, channel: 'plain:0', n: 0 },
						{ do: 'stopped', at: stoppedAt, pending: 0 },
					],
					false,
				),
			).map(({ outcome }) => outcome);
		expect(outcomesOf(8_000)).toEqual(['pending', 'stored elsewhere', 'pending']);
		expect(outcomesOf(9_001)).toEqual(['pending', 'pending', 'pending']);
	});

	it('expects messages from when its socket was subscribed until some time before the process ended', () => {
		const entries: NodeEntry[] = [
			{ do: 'subscribed', at: 100, channel: 'plain:0' },
			{ ...publish, at: 90_000 },
		];
		expect(nodeReceiver(journal(entries), END).subscriptions).toMatchObject([{ from: 100, until: Infinity }]);
		expect(nodeReceiver(journal(entries, false), END).subscriptions).toMatchObject([
			{ from: 100, until: 90_000 - LEAVING_MS, gone: 90_000 },
		]);
	});

	it('expects everything until the end of a run, although its socket leaves then', () => {
		const entries: NodeEntry[] = [
			{ do: 'subscribed', at: 100, channel: 'plain:0' },
			{ do: 'disconnected', at: END + 1 },
		];
		expect(nodeReceiver(journal(entries), END).subscriptions).toMatchObject([{ until: Infinity }]);
	});
});
