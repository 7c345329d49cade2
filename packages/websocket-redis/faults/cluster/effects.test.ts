import { expect, it } from 'vitest';
import { astray, seenOtherwise } from './effects.ts';
import { lifeOf, type NodeLife } from './lives.ts';
import type { Action, Entry } from './protocol.ts';

const DISCONNECT: Action = {
	n: 1,
	timeoutMs: 1_000,
	do: 'disconnect',
	target: { userId: 'u' },
	code: 'a1',
	reconnect: false,
};

/** A node that disconnects user `u`, and closes a socket of this user with the action's code. */
function node(userId: string, reason = 'a1', more: readonly Entry[] = []): NodeLife {
	const entries: Entry[] = [
		{ do: 'start', at: 0, nodeId: 'a' },
		{ do: 'open', at: 1_000, socketId: 's', userId, upgradedAt: 990 },
		{ do: 'act', at: 10_000, action: DISCONNECT },
		{ do: 'close', at: 10_010, socketId: 's', code: 4403, reason },
		{ do: 'acted', at: 10_020, n: 1, tookMs: 20, lateMs: 0, said: {} },
		...more,
	];
	return lifeOf({ process: 'a1', entries, endedAt: Infinity, frozen: [], away: [] }) as NodeLife;
}

it('finds what an action did to a socket that was not its target', () => {
	expect(astray([node('u')])).toEqual([]);
	expect(astray([node('other')])).toEqual(['a1 met s, not its target']);
	const removed: Entry = { do: 'out', at: 10_005, socketId: 's', topic: 't', code: 'a1' };
	expect(astray([node('other', 'server is stopping', [removed])])).toEqual(['a1 met s, not its target']);
});

it('finds what clients saw otherwise', () => {
	const seen = (reason: string, isFinal: boolean) => new Map([['s', { code: 4403, reason, isFinal }]]);
	expect(seenOtherwise([node('u')], seen('a1', true))).toEqual([]);
	expect(seenOtherwise([node('u')], seen('a1', false))).toEqual(['the client of s comes back after a1']);
	expect(seenOtherwise([node('u')], seen('lost', true))).toEqual([
		's was closed with a1, and its client saw 4403 lost',
	]);
	expect(seenOtherwise([node('u')], new Map())).toEqual([]);
});
