import { describe, expect, it } from 'vitest';
import type { ClientEntry, ClientEvent } from '../clients/protocol.ts';
import type { LoggedFault } from '../report/fault-log.ts';
import { outagesOf, presenceFindings } from './presence.ts';

const TOPIC = 'plain:2';
const END_AT = 100_000;

/** What one client wrote: pairs of a time and an event. */
function wrote(client: string, ...events: readonly (readonly [number, ClientEvent])[]): ClientEntry[] {
	return events.map(([at, event]) => ({ client, at, ...event }));
}

const ready = (socketId: string): ClientEvent => ({ do: 'ready', socketId });
const members = (...keys: readonly string[]): ClientEvent => ({ do: 'members', topic: TOPIC, keys });
const SUBSCRIBE: ClientEvent = { do: 'subscribe', id: 1, channel: TOPIC };
const SUBSCRIBED: ClientEvent = { do: 'subscribed', id: 1 };
const LOST: ClientEvent = { do: 'lost', why: 'cut' };

/** A client that is there from the start, and watches. */
function watcher(...more: readonly (readonly [number, ClientEvent])[]): ClientEntry[] {
	return wrote('c1', [1_000, ready('a1-1')], [1_000, SUBSCRIBE], [1_010, SUBSCRIBED], ...more);
}

function kinds(entries: readonly ClientEntry[], faults: readonly LoggedFault[] = []): string[] {
	const clients = entries.toSorted((one, other) => one.at - other.at);
	const run = { clients, processOf: (socketId: string) => socketId.slice(0, 2), faults, endAt: END_AT };
	return presenceFindings(run).map(({ kind }) => kind);
}

describe('presence in the model', () => {
	it('is right where clients know who is there', () => {
		const other = wrote(
			'c2',
			[1_000, ready('b1-1')],
			[20_000, SUBSCRIBE],
			[20_010, SUBSCRIBED],
			[60_000, { do: 'closing' }],
			[60_010, { do: 'closed' }],
		);
		const seen = watcher(
			[1_100, members('user:c1')],
			[20_300, members('user:c1', 'user:c2')],
			[63_500, members('user:c1')],
		);
		expect(kinds([...seen, ...other])).toEqual([]);
	});

	it('finds ghosts, losses and flaps', () => {
		const seen = watcher([1_100, members('user:c1')], [30_000, members()], [30_500, members('user:c1', 'user:c9')]);
		expect(kinds(seen)).toEqual(['flap', 'ghost']);
		expect(kinds(watcher([1_100, members()]))).toEqual(['loss']);
	});

	it('counts a topic again on each connection', () => {
		const other = wrote(
			'c2',
			[1_000, ready('b1-1')],
			[1_000, SUBSCRIBE],
			[1_010, SUBSCRIBED],
			[40_000, LOST],
			[40_500, ready('b1-2')],
		);
		expect(kinds([...watcher([1_100, members('user:c1', 'user:c2')]), ...other])).toEqual([]);
		const left = watcher([1_100, members('user:c1', 'user:c2')], [44_000, members('user:c1')]);
		expect(kinds([...left, ...other])).toEqual(['flap', 'loss']);
	});

	it('tells a client without a user from its next connection', () => {
		const other = wrote(
			'c0',
			[1_000, ready('b1-1')],
			[1_000, SUBSCRIBE],
			[1_010, SUBSCRIBED],
			[40_000, LOST],
			[41_000, ready('b1-2')],
		);
		const both = ['user:c1', 'socket:b1-1'];
		const seen = watcher([1_100, members(...both)], [41_100, members('user:c1', 'socket:b1-2')]);
		expect(kinds([...seen, ...other])).toEqual([]);
		expect(kinds([...watcher([1_100, members(...both)]), ...other])).toEqual(['ghost', 'loss']);
	});

	it('gives the members of a node that was killed their time', () => {
		const other = wrote('c2', [1_000, ready('b1-1')], [1_000, SUBSCRIBE], [1_010, SUBSCRIBED], [40_010, LOST]);
		const seen = watcher([1_100, members('user:c1', 'user:c2')], [53_000, members('user:c1')]);
		const killed: LoggedFault = {
			fault: { kind: 'node killed', node: 'b', forMs: 1_000, moves: false, heldMs: 0, at: 0 },
			from: 40_000,
			until: 90_000,
		};
		expect(kinds([...seen, ...other], [killed])).toEqual([]);
		expect(kinds([...seen, ...other])).toEqual(['ghost']);
	});

	it('asks nothing of a client that no longer watches, or whose node is on another server', () => {
		expect(kinds(watcher([1_100, members('user:c1')], [20_000, { do: 'unwatched', topic: TOPIC }]))).toEqual([]);
		const led: LoggedFault = {
			fault: { kind: 'link led elsewhere', node: 'a', forMs: 5_000, to: 'empty', at: 0 },
			from: 30_000,
			until: 35_000,
		};
		const seen = watcher(
			[1_100, members('user:c1')],
			[31_000, members('user:c1', 'user:c9')],
			[36_000, members('user:c1')],
		);
		expect(kinds(seen, [led])).toEqual([]);
		expect(kinds(seen)).toEqual(['ghost']);
	});

	it('counts faults that follow each other as one outage', () => {
		const frozen = (from: number, until: number): LoggedFault => ({
			fault: { kind: 'node frozen', node: 'b', forMs: 1, at: 0 },
			from,
			until,
		});
		expect(outagesOf([frozen(1_000, 6_000), frozen(8_000, 12_000), frozen(50_000, 51_000)])).toEqual([
			{ node: 'b', isMarked: false, hasLostData: false, from: 1_000, until: 12_000 },
			{ node: 'b', isMarked: false, hasLostData: false, from: 50_000, until: 51_000 },
		]);
	});
});
