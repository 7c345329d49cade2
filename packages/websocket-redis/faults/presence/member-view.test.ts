import { expect, it } from 'vitest';
import type { PresenceMember, PresenceNotice, WatchAnswer } from '@orijs/websocket/protocol';
import { MemberView } from './member-view.ts';

const member = (key: string, connections = 1): PresenceMember => ({ key, connections, since: 1 });
const at = (n: number, epoch = 'e'): { epoch: string; n: number } => ({ epoch, n });

function viewOf(...keys: readonly string[]): { readonly view: MemberView; readonly events: string[] } {
	const events: string[] = [];
	const view = new MemberView({
		onAppear: (key) => events.push(`+${key}`),
		onVanish: (key) => events.push(`-${key}`),
		onRepeated: () => events.push('repeated'),
		onWrong: (kind, what) => events.push(`${kind}: ${what}`),
	});
	view.answer(answer(5, keys));
	events.length = 0;
	return { view, events };
}

function answer(n: number, keys: readonly string[], more: Partial<WatchAnswer> = {}): WatchAnswer {
	return { topic: 't', version: at(n), count: keys.length, members: keys.map((key) => member(key)), ...more };
}

function notice(n: number, count: number, more: Partial<PresenceNotice>): PresenceNotice {
	return { topic: 't', version: at(n), previous: at(n - 1), count, ...more };
}

it('applies what follows', () => {
	const { view, events } = viewOf('a', 'b');
	const changes = { joined: [member('c')], left: ['a'], updated: [member('b', 2)] };
	expect(view.notice(notice(6, 2, changes))).toBe('applied');
	expect([...(view.members?.values() ?? [])]).toEqual([member('b', 2), member('c')]);
	expect(events).toEqual(['+c', '-a']);
});

it('ignores what it knows, and asks again for what does not follow', () => {
	const { view, events } = viewOf('a');
	expect(view.notice(notice(4, 1, { joined: [member('b')] }))).toBe('ignored');
	expect(view.notice(notice(8, 2, { joined: [member('b')] }))).toBe('again');
	expect(view.notice({ ...notice(8, 2, {}), version: at(8, 'f'), previous: at(7, 'f') })).toBe('again');
	expect(view.notice({ ...notice(9, 2, { joined: [member('a'), member('b')] }), previous: at(3) })).toBe('applied');
	expect(events).toEqual(['+b']);
});

it('finds changes that are told again, and counts that are wrong', () => {
	const { view, events } = viewOf('a');
	// The answer may have been newer.
	view.notice(notice(6, 1, { joined: [member('a')] }));
	expect(events).toEqual([]);
	view.notice(notice(7, 1, { joined: [member('a')] }));
	view.notice(notice(8, 1, { left: ['b'] }));
	view.notice(notice(9, 1, { updated: [member('a')] }));
	view.notice(notice(10, 2, { updated: [member('d')] }));
	view.notice(notice(11, 4, { joined: [member('c')] }));
	expect(events).toEqual([
		'doubled: a joined, who was there',
		'repeated',
		'repeated',
		'doubled: d was updated, who was not there',
		'+d',
		'+c',
		'count: a count of 4 for 3 members',
	]);
});

it('tells the difference after it has watched again, page by page', () => {
	const { view, events } = viewOf('a', 'b');
	expect(view.answer(answer(9, ['b', 'c'], { count: 4, hasMore: true }))).toEqual({ after: 'c' });
	view.notice(notice(10, 5, { joined: [member('e')] }));
	expect(events).toEqual([]);
	expect(view.answer(answer(9, ['d', 'e', 'f'], { count: 5 }), 'c')).toEqual({});
	expect(view.answer(answer(10, ['d', 'e', 'f'], { count: 5 }), 'c')).toBeUndefined();
	expect([...(view.members?.keys() ?? [])].toSorted()).toEqual(['b', 'c', 'd', 'e', 'f']);
	expect(events).toEqual(['-a', '+c', '+d', '+e', '+f']);
});

it('knows only the count where there are too many', () => {
	const { view, events } = viewOf('a');
	expect(view.notice(notice(6, 2_000, { isCountOnly: true }))).toBe('applied');
	expect([view.count, view.members, events]).toEqual([2_000, undefined, ['-a']]);
	expect(view.notice(notice(7, 800, { joined: [member('b')] }))).toBe('again');
});
