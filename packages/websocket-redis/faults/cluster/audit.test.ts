import { expect, it } from 'vitest';
import { audit } from './audit.ts';
import { lifeOf, type NodeLife, type ProcessRecord } from './lives.ts';
import type { Action, Entry, Said } from './protocol.ts';

const TARGET = { userId: 'u' };

/** A node with one socket of user `u` in `room`, from 1,000 on. */
function node(name: string, more: readonly Entry[] = [], about: Partial<ProcessRecord> = {}): NodeLife {
	const socketId = `s${name}`;
	const entries: Entry[] = [
		{ do: 'start', at: 0, nodeId: name },
		{ do: 'listening', at: 100 },
		{ do: 'open', at: 1_000, socketId, userId: 'u', upgradedAt: 990 },
		{ do: 'in', at: 1_000, socketId, topic: 'room' },
		...more,
	];
	return lifeOf({ process: `${name}1`, entries, endedAt: Infinity, frozen: [], away: [], ...about }) as NodeLife;
}

/** Node a calls at 10,000, which settles after 100 ms. */
function caller(action: object, said: Said, more: readonly Entry[] = [], tookMs = 100): NodeLife {
	const call = { n: 1, timeoutMs: 1_000, ...action } as Action;
	return node('a', [
		{ do: 'act', at: 10_000, action: call },
		...more,
		{ do: 'acted', at: 10_000 + tookMs, n: 1, tookMs, lateMs: 0, said },
	]);
}

function removed(name: string, at = 10_050): Entry {
	return { do: 'out', at, socketId: `s${name}`, topic: 'room', code: 'a1' };
}

function closed(name: string, reason: string): Entry {
	return { do: 'close', at: 10_050, socketId: `s${name}`, code: 4403, reason };
}

const UNSUBSCRIBE = { do: 'unsubscribe', target: TARGET, topic: 'room', code: 'a1' };
const DISCONNECT = { do: 'disconnect', target: TARGET, code: 'a1', reconnect: false };
const BOTH: Said = { nodes: 2, answered: 2, unanswered: [], sockets: 2 };

function findings(...nodes: readonly NodeLife[]): string[] {
	return audit(nodes, 60_000).map(({ kind, what }) => `${kind}: ${what}`);
}

it('finds nothing where everything was done', () => {
	expect(findings(caller(UNSUBSCRIBE, BOTH, [removed('a')]), node('b', [removed('b')]))).toEqual([]);
	expect(
		findings(caller(DISCONNECT, BOTH, [closed('a', 'a1')]), node('b', [closed('b', 'a1; retry-after-ms=3')])),
	).toEqual([]);
});

it('finds sockets that were not met, and what was left out on a node that is not named', () => {
	expect(findings(caller(UNSUBSCRIBE, BOTH, [removed('a')]), node('b'))).toEqual([
		'overstated: unsubscribe met 2 sockets, in truth 1',
		'overstated: unsubscribe does not name b1, which left out sb',
	]);
	expect(findings(caller(DISCONNECT, BOTH, [closed('a', 'a1')]), node('b', [closed('b', 'a11')]))).toEqual([
		'overstated: disconnect met 2 sockets, in truth 1',
	]);
});

it('asks no more of a node that is named, or if there are some without names', () => {
	const said = { nodes: 2, answered: 1, unanswered: ['b'], sockets: 1 };
	expect(findings(caller(UNSUBSCRIBE, said, [removed('a')]), node('b'))).toEqual([]);
	const some = { ...said, unanswered: [] };
	expect(findings(caller(UNSUBSCRIBE, some, [removed('a')]), node('b'))).toEqual([]);
});

it('asks for no name that the caller could not know, if it says that not all have answered', () => {
	const away = { away: [{ from: 8_000, until: 12_000 }] };
	const own = (said: Said): NodeLife => {
		const call: Entry = { do: 'act', at: 10_000, action: { n: 1, timeoutMs: 1_000, ...UNSUBSCRIBE } as Action };
		return node('a', [call, removed('a'), { do: 'acted', at: 10_100, n: 1, tookMs: 100, lateMs: 0, said }], away);
	};
	const entries: Entry[] = [
		{ do: 'start', at: 7_000, nodeId: 'b' },
		{ do: 'listening', at: 7_500 },
		{ do: 'open', at: 9_000, socketId: 'sb', userId: 'u', upgradedAt: 8_990 },
		{ do: 'in', at: 9_000, socketId: 'sb', topic: 'room' },
	];
	const late = lifeOf({ process: 'b1', entries, endedAt: Infinity, frozen: [], away: [] }) as NodeLife;
	expect(findings(own({ nodes: 2, answered: 1, unanswered: ['a'], sockets: 1 }), late)).toEqual([]);
	expect(findings(own({ nodes: 1, answered: 1, unanswered: [], sockets: 1 }), late)).toEqual([
		'overstated: unsubscribe does not name b1, which left out sb',
	]);
});

it('finds what was done only after the answer', () => {
	expect(findings(caller(UNSUBSCRIBE, BOTH, [removed('a')]), node('b', [removed('b', 10_200)]))).toEqual([
		'overstated: unsubscribe does not name b1, which left out sb',
	]);
});

it('finds a connection that was in its guards and stayed open', () => {
	const said = { ...BOTH, sockets: 2 };
	const late: Entry = { do: 'open', at: 10_300, socketId: 'late', userId: 'u', upgradedAt: 9_800 };
	expect(findings(caller(DISCONNECT, said, [closed('a', 'a1')]), node('b', [closed('b', 'a1'), late]))).toEqual([
		'overstated: disconnect does not name b1, which left out late',
	]);
});

it('finds numbers of nodes that do not add up, or that could not be', () => {
	const said = { nodes: 3, answered: 3, unanswered: ['c'], sockets: 2 };
	expect(findings(caller(UNSUBSCRIBE, said, [removed('a')]), node('b', [removed('b')]))).toEqual([
		'overstated: unsubscribe asked 3 nodes, but 3 answered and 1 are named',
		'overstated: unsubscribe had 3 answers, but only 2 could',
		'overstated: unsubscribe names nodes that never were: c',
	]);
	const frozen = { frozen: [{ from: 9_000, until: 20_000 }] };
	expect(findings(caller(UNSUBSCRIBE, { ...BOTH, sockets: 1 }, [removed('a')]), node('b', [], frozen))).toContain(
		'overstated: unsubscribe had 2 answers, but only 1 could',
	);
});

it('finds wrong lists and counts', () => {
	const listed = (socketId: string, nodeId: string) => ({ socketId, nodeId, userId: 'u' });
	const list = (...connections: ReturnType<typeof listed>[]): Said => ({ ...BOTH, connections, hasMore: false });
	const call = { do: 'connections', target: TARGET };
	expect(findings(caller(call, list(listed('sa', 'a'), listed('sb', 'b'))), node('b'))).toEqual([]);
	expect(findings(caller(call, list(listed('sa', 'a'), listed('sa', 'a'))), node('b'))).toEqual([
		'overstated: connections does not name b1, which left out sb',
		'overstated: connections lists sa twice',
	]);
	const count = { do: 'connectionCount' };
	expect(findings(caller(count, { ...BOTH, count: 2 }), node('b'))).toEqual([
		'overstated: connectionCount met 2 sockets, in truth 0',
	]);
	const nodes = { nodes: 2, answered: 2, unanswered: [] };
	expect(findings(caller(count, { ...nodes, count: 3 }), node('b'))).toEqual([
		'overstated: connectionCount counted 3, although there were never more than 2',
	]);
	expect(findings(caller({ do: 'subscriberCount', topic: 'room' }, { ...nodes, count: 1 }), node('b'))).toEqual([
		'overstated: subscriberCount counted 1, although all but those named had at least 2',
	]);
});

it('finds answers that no node gave, and nodes that are neither in the answers nor named', () => {
	const call = { do: 'request', to: 'all' };
	const handled: Entry = { do: 'handled', at: 10_020, n: 1 };
	const said = {
		nodes: 2,
		answered: 2,
		unanswered: [],
		answers: [
			['a', 'a'],
			['b', 'b'],
		] as const,
		errors: [],
	};
	expect(findings(caller(call, said, [handled]), node('b', [handled]))).toEqual([]);
	expect(findings(caller(call, said, [handled]), node('b'))).toEqual([
		'overstated: request has an answer of b that it did not give',
	]);
	const own = { nodes: 1, answered: 1, unanswered: [], answers: [['a', 'a']] as const, errors: [] };
	expect(findings(caller(call, own, [handled, handled]), node('b'))).toEqual([
		'overstated: request says nothing of b1',
		'overstated: request was handled twice by a1',
	]);
});

it('finds actions that took too long, never settled, or rejected', () => {
	const slow = caller(UNSUBSCRIBE, BOTH, [removed('a')], 2_000);
	expect(findings(slow, node('b', [removed('b')]))).toEqual([
		'hung: unsubscribe took 2000 ms of 1000, and its node was late for 0',
	]);
	const action = { n: 1, timeoutMs: 1_000, ...UNSUBSCRIBE } as Action;
	expect(findings(node('a', [{ do: 'act', at: 10_000, action }]))).toEqual([
		'hung: unsubscribe has not settled after 50000 ms',
	]);
	const failed: Entry = { do: 'acted', at: 10_100, n: 1, tookMs: 100, lateMs: 0, error: 'Oops' };
	expect(findings(node('a', [{ do: 'act', at: 10_000, action }, failed]))).toEqual([
		'rejected: unsubscribe rejected: Oops',
	]);
	const stopping: Entry = { ...failed, error: 'ProviderStoppedError: …' };
	const entries = [{ do: 'act', at: 10_000, action } as const, stopping];
	expect(findings(node('a', entries, { endedAt: 11_000 }))).toEqual([]);
	expect(findings(node('a', entries))).toEqual(['rejected: unsubscribe rejected: ProviderStoppedError: …']);
});
