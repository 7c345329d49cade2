import type { PresenceMember, PresenceNotice, WatchAnswer } from '@orijs/websocket/protocol';
import { expect, it } from 'vitest';
import { Members } from './members.ts';
import type { MembersChange } from './presence.ts';

const version = (n: number, epoch = 'e') => ({ epoch, n });

function all(...keys: string[]): PresenceMember[] {
	return keys.map((key) => ({ key, connections: 1, since: 1_000 }));
}

function page(n: number, keys: string[], more: Partial<WatchAnswer> = {}): WatchAnswer {
	return { topic: 't', version: version(n), count: keys.length, members: all(...keys), ...more };
}

function change(from: number, to: number, more: Partial<PresenceNotice> = {}): PresenceNotice {
	return { topic: 't', version: version(to), previous: version(from), count: 1, ...more };
}

function follow() {
	const changes: MembersChange[] = [];
	const members = new Members((told) => changes.push(told));
	return { members, changes, keys: () => members.state.members.map(({ key }) => key) };
}

// The WebSocket class of the package `ws` delivers frames that arrive together without a turn of promises in between.
it('a change that arrives before the first page was looked at is not lost', () => {
	const { members, changes, keys } = follow();
	members.forget();
	members.notice(change(1, 2, { count: 9, left: ['a'] }));
	members.notice(change(2, 4, { count: 2, joined: all('b') }));
	expect(members.page(page(3, ['a']), undefined)).toBeUndefined();
	expect(keys()).toEqual(['a', 'b']);
	expect(changes).toMatchObject([{ count: 2, joined: all('a', 'b') }]);
});

it('a change that arrives before the first page was looked at, and does not follow it, begins again', () => {
	const { members, changes } = follow();
	members.forget();
	members.notice(change(4, 5));
	expect(members.page(page(3, ['a']), undefined)).toBe('');
	expect([members.isCurrent, changes]).toEqual([false, []]);
	expect(members.page(page(5, ['a']), '')).toBeUndefined();
	expect(members.isCurrent).toBe(true);
});

it('a page that a later change has overtaken begins again', () => {
	const { members } = follow();
	members.forget();
	expect(members.page(page(1, ['a'], { hasMore: true }), undefined)).toBe('a');
	members.notice(change(1, 3, { updated: all('b') }));
	expect(members.page(page(2, ['b']), 'a')).toBe('');
});

it('the same members are the same array, and a new one whenever they change', () => {
	const { members } = follow();
	members.page(page(1, ['b', 'a']), undefined);
	const before = members.state.members;
	members.notice(change(1, 2, { count: 2, isStale: true, updated: all('a') }));
	expect(members.state).toMatchObject({ isStale: true });
	expect(members.state.members).toBe(before);
	members.notice(change(2, 3, { count: 3, joined: all('c') }));
	expect(members.state.members).not.toBe(before);
	expect(before).toEqual(all('a', 'b'));
});

it('nothing is told before something is known', () => {
	const { members, changes } = follow();
	members.lost();
	expect(changes).toEqual([]);
});

it('a time that is known more exactly is no change, another time is', () => {
	const { members, changes } = follow();
	const at = (since: number) => [{ key: 'a', connections: 1, since }];
	members.page({ ...page(1, ['a']), members: at(5_000) }, undefined);
	members.notice(change(1, 2, { updated: at(5_900) }));
	expect(changes).toHaveLength(1);
	members.notice(change(2, 3, { updated: at(7_000) }));
	expect(changes[1]).toMatchObject({ updated: at(7_000) });
});
