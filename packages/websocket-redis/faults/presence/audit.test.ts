import { describe, expect, it } from 'vitest';
import { audit } from './audit.ts';
import type { Outage, Span, Stay, View } from './records.ts';
import { JOINED_MS, KEPT_MS, KILLED_MS, LEFT_MS, RECOVERED_MS } from './stated-times.ts';

const DELAY_MS = 3_000;
const SLACK_MS = 100;
const END_AT = 200_000;
const KEY = 'user:1';

const span = (from: number, until: number) => ({ from, until });

function stay(from: number, until: number = Infinity, more: Partial<Stay> = {}): Stay {
	return {
		topic: 't',
		key: KEY,
		node: 'a',
		askedAt: from - 10,
		from,
		until,
		goneAt: until + 10,
		isLeaving: more.end === 'unsubscribed',
		end: 'disconnected',
		...more,
	};
}

function seenBy(node: string, seen: readonly Span[], more: Partial<View> = {}): View {
	const members = new Map([[KEY, seen]]);
	return { watcher: 'w', topic: 't', node, from: 0, until: Infinity, members, stale: [], ...more };
}

/** What is found, without the descriptions. */
function kinds(stays: readonly Stay[], views: readonly View[], outages: readonly Outage[] = []): string[] {
	const record = { stays, views, outages, endAt: END_AT };
	return audit(record, { leaveDelayMs: () => DELAY_MS, slackMs: SLACK_MS }).map(({ kind }) => kind);
}

describe('a member', () => {
	it('may come and go', () => {
		expect(kinds([stay(1_000, 50_000)], [seenBy('b', [span(1_300, 53_500)])])).toEqual([]);
		expect(kinds([stay(1_000)], [seenBy('b', [span(1_300, Infinity)])])).toEqual([]);
	});

	it('is a ghost where it stays beyond the stated time, or never was', () => {
		const late = 50_000 + DELAY_MS + LEFT_MS + 1_000;
		expect(kinds([stay(1_000, 50_000)], [seenBy('b', [span(1_300, late)])])).toEqual(['ghost']);
		expect(kinds([], [seenBy('b', [span(1_300, 9_000)])])).toEqual(['ghost']);
	});

	it('is a ghost where somebody who begins to watch finds it', () => {
		const views = [seenBy('b', [span(90_000, Infinity)], { from: 90_000 })];
		expect(kinds([stay(1_000, 50_000)], views)).toEqual(['ghost']);
	});

	it('may be there for longer if its node was killed, but not for ever', () => {
		const stays = [stay(1_000, 50_000, { end: 'killed' })];
		expect(kinds(stays, [seenBy('b', [span(1_300, 50_000 + KILLED_MS - 10)])])).toEqual([]);
		expect(kinds(stays, [seenBy('b', [span(1_300, 50_000 + KILLED_MS + 1_000)])])).toEqual(['ghost']);
	});

	it('without a user leaves at once', () => {
		const socket = { key: 'socket:1' };
		const view = (until: number) => seenBy('b', [], { members: new Map([['socket:1', [span(1_300, until)]]]) });
		expect(kinds([stay(1_000, 50_000, socket)], [view(50_100)])).toEqual([]);
		expect(kinds([stay(1_000, 50_000, socket)], [view(50_000 + LEFT_MS + 1_000)])).toEqual(['ghost']);
	});

	it('is lost where it is not there in time', () => {
		expect(kinds([stay(1_000)], [seenBy('b', [span(1_000 + JOINED_MS + 1_000, Infinity)])])).toEqual(['loss']);
		expect(kinds([stay(1_000)], [seenBy('b', [])])).toEqual(['loss']);
	});

	it('is lost where somebody who begins to watch does not find it', () => {
		expect(kinds([stay(1_000)], [seenBy('b', [], { from: 50_000 })])).toEqual(['loss']);
	});

	it('flaps where it leaves although it stays', () => {
		expect(kinds([stay(1_000)], [seenBy('b', [span(1_300, 50_000), span(50_500, Infinity)])])).toEqual(['flap']);
		expect(kinds([stay(1_000)], [seenBy('b', [span(1_300, 50_000)])])).toEqual(['flap', 'loss']);
	});

	it('flaps where it leaves although it is back in time', () => {
		const seen = [seenBy('b', [span(1_300, 53_000), span(53_500, Infinity)])];
		expect(kinds([stay(1_000, 50_000), stay(52_000)], seen)).toEqual(['flap']);
		expect(kinds([stay(1_000, 50_000), stay(53_100)], seen)).toEqual([]);
	});

	it('may leave for others if it comes back to a node that can not tell them', () => {
		const back = 50_000 + DELAY_MS - 1_000;
		const seen = (node: string) => [seenBy(node, [span(1_300, 53_000), span(53_900, Infinity)])];
		const stays = (node: string) => [stay(1_000, 50_000), stay(back, Infinity, { node })];
		const outage = (node: string) => [{ node, isMarked: true, ...span(back - 500, back + 1_000) }];
		expect(kinds(stays('c'), seen('b'), outage('c'))).toEqual([]);
		// That node itself knows it, and others know it of another node.
		expect(kinds(stays('b'), seen('b'), outage('b'))).toEqual(['flap']);
		expect(kinds(stays('c'), seen('b'), outage('d'))).toEqual(['flap']);
		expect(kinds([...stays('c'), stay(back + 100)], seen('b'), outage('c'))).toEqual(['flap']);
	});

	it('may be unknown to a node that was cut off when it came to another one', () => {
		const stays = [stay(1_000, 50_000, { key: 'socket:1' }), stay(49_900, Infinity, { node: 'c', key: 'socket:1' })];
		const seen = (until: number) => [
			seenBy('a', [], { members: new Map([['socket:1', [span(1_100, 50_100), span(until, Infinity)]]]) }),
		];
		const outages = [{ node: 'a', isMarked: true, ...span(49_000, 60_000) }];
		const marked = (views: readonly View[]) => views.map((view) => ({ ...view, stale: [span(50_000, 61_000)] }));
		expect(kinds(stays, marked(seen(60_000 + RECOVERED_MS)), outages)).toEqual([]);
		expect(kinds(stays, marked(seen(60_000 + RECOVERED_MS + 1_000)), outages)).toEqual(['loss']);
		expect(kinds(stays, marked(seen(52_000)), [])).toEqual(['flap']);
	});

	it('may be unknown at first to a client that is told so, while the backend is away', () => {
		const outages = [{ node: undefined, isMarked: true, ...span(49_000, 60_000) }];
		const view = (from: number, stale: readonly Span[]) => [
			seenBy('b', [span(from, Infinity)], { from: 50_000, stale }),
		];
		const back = 60_000 + RECOVERED_MS;
		expect(kinds([stay(1_000)], view(back, [span(50_000, back)]), outages)).toEqual([]);
		expect(kinds([stay(1_000)], view(back + 1_000, [span(50_000, back)]), outages)).toEqual(['loss']);
		expect(kinds([stay(1_000)], view(back, [span(51_000, back)]), outages)).toEqual(['loss']);
	});

	it('may leave at once or stay for a while if it is not known whether its node has read that it leaves', () => {
		const stays = [stay(1_000, 50_000, { isLeaving: true }), stay(52_000)];
		expect(kinds(stays, [seenBy('b', [span(1_300, 50_300), span(52_300, Infinity)])])).toEqual([]);
		const gone = [stay(1_000, 50_000, { isLeaving: true })];
		expect(kinds(gone, [seenBy('b', [span(1_300, 50_000 + DELAY_MS + 1_000)])])).toEqual([]);
	});

	it('leaves at once if it does so on purpose', () => {
		const stays = [stay(1_000, 50_000, { end: 'unsubscribed' }), stay(50_800)];
		expect(kinds(stays, [seenBy('b', [span(1_300, 50_300), span(51_000, Infinity)])])).toEqual([]);
		const gone = [stay(1_000, 50_000, { end: 'unsubscribed' })];
		expect(kinds(gone, [seenBy('b', [span(1_300, 50_000 + LEFT_MS + 1_000)])])).toEqual(['ghost']);
	});

	it('flaps where it leaves although another connection stays', () => {
		const stays = [stay(1_000, 50_000, { node: 'b' }), stay(2_000)];
		expect(kinds(stays, [seenBy('c', [span(1_300, 53_000), span(53_500, Infinity)])])).toEqual(['flap']);
	});

	it('may leave where its node was frozen for longer than its lease, but not for clients of that node', () => {
		const outages = [{ node: 'a', isMarked: false, ...span(50_000, 65_000) }];
		const seen = [span(1_300, 50_000 + KEPT_MS + 1_000), span(66_000, Infinity)];
		expect(kinds([stay(1_000)], [seenBy('b', seen)], outages)).toEqual([]);
		expect(kinds([stay(1_000)], [seenBy('a', seen)], outages)).toEqual(['flap', 'loss']);
	});

	it('may be missing to who begins to watch after the backend lost its data, while its node is cut off', () => {
		const lost = { node: undefined, isMarked: false, hasLostData: true, ...span(50_000, 50_000) };
		const outages = [lost, { node: 'a', isMarked: false, ...span(51_000, 56_000) }];
		const seen = [span(57_000, Infinity)];
		expect(kinds([stay(1_000)], [seenBy('b', seen, { from: 50_500 })], outages)).toEqual([]);
		expect(kinds([stay(1_000)], [seenBy('b', seen, { from: 50_500 })], [lost])).toEqual(['loss']);
	});

	it('may not leave where its node was frozen for less than its lease', () => {
		const outages = [{ node: 'a', isMarked: false, ...span(50_000, 55_000) }];
		expect(kinds([stay(1_000)], [seenBy('b', [span(1_300, 54_000), span(55_500, Infinity)])], outages)).toEqual([
			'flap',
		]);
	});

	it('may not leave because the backend was away, however long', () => {
		const outages = [{ node: undefined, isMarked: false, ...span(50_000, 70_000) }];
		const seen = [span(1_300, 65_000), span(70_500, Infinity)];
		expect(kinds([stay(1_000)], [seenBy('b', seen)], outages)).toEqual(['flap', 'loss']);
	});

	it('may come and go later while the backend is away, and soon after', () => {
		const outages = [{ node: undefined, isMarked: false, ...span(40_000, 70_000) }];
		const away = 70_000 + DELAY_MS + LEFT_MS + RECOVERED_MS;
		expect(kinds([stay(1_000, 50_000)], [seenBy('b', [span(1_300, away)])], outages)).toEqual([]);
		expect(kinds([stay(1_000, 50_000)], [seenBy('b', [span(1_300, away + 1_000)])], outages)).toEqual(['ghost']);
		const back = 70_000 + RECOVERED_MS;
		expect(kinds([stay(50_000)], [seenBy('b', [span(back, Infinity)])], outages)).toEqual([]);
		expect(kinds([stay(50_000)], [seenBy('b', [span(back + 1_000, Infinity)])], outages)).toEqual(['loss']);
	});
});

it('a member that left when the backend lost its data may be there for longer, but not for ever', () => {
	const outages = [{ node: undefined, isMarked: false, hasLostData: true, ...span(50_100, 50_100) }];
	expect(kinds([stay(1_000, 50_000)], [seenBy('b', [span(1_300, 50_000 + KILLED_MS)])], outages)).toEqual([]);
	expect(kinds([stay(1_000, 50_000)], [seenBy('b', [span(1_300, 51_000 + KILLED_MS)])], outages)).toEqual(['ghost']);
});

describe('a client whose node is cut off', () => {
	const outages = [{ node: 'a', isMarked: true, ...span(50_000, 65_000) }];

	it('has to be told', () => {
		expect(kinds([], [seenBy('a', [])], outages)).toEqual(['unmarked']);
		expect(kinds([], [seenBy('a', [], { stale: [span(52_000, 65_500)] })], outages)).toEqual([]);
	});

	it('need not be told where it is another node, or the client was not there all the time', () => {
		expect(kinds([], [seenBy('b', []), seenBy('a', [], { from: 51_000 })], outages)).toEqual([]);
	});
});
