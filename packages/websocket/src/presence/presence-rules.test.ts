import { describe, expect, it } from 'vitest';
import { InvalidOptionError } from '../errors.ts';
import { PresencePatterns, type PresenceRules } from './presence-rules.ts';

describe('presence rules', () => {
	it.each<[unknown, RegExp]>([
		[null, /presence must be an object such as \{ 'room:\*': \{ leaveDelayMs: 5_000 \} \}, not null/],
		['room:*', /presence must be an object/],
		[['room:*'], /presence must be an object/],
		[{ 'room *': {} }, /a presence pattern is 1 to 256 characters from .*, not "room \*"/],
		[{ '': {} }, /a presence pattern is/],
		[{ 'room:*': true }, /presence\["room:\*"\] must be an object \{ leaveDelayMs, events, membersUpTo \}, not true/],
		[{ 'room:*': [] }, /presence\["room:\*"\] must be an object/],
		[{ 'room:*': { leaveDelay: 1 } }, /has no option leaveDelay, only leaveDelayMs, events, membersUpTo/],
		[{ 'room:*': { leaveDelayMs: -1 } }, /\.leaveDelayMs must be a whole number from 0 to 300000, not -1/],
		[{ 'room:*': { leaveDelayMs: 300_001 } }, /\.leaveDelayMs must be a whole number/],
		[{ 'room:*': { leaveDelayMs: 0.5 } }, /\.leaveDelayMs must be a whole number/],
		[{ 'room:*': { leaveDelayMs: '5s' } }, /\.leaveDelayMs must be a whole number from 0 to 300000, not "5s"/],
		[{ 'room:*': { membersUpTo: 10_001 } }, /\.membersUpTo must be a whole number from 0 to 10000, not 10001/],
		[{ 'room:*': { membersUpTo: Infinity } }, /\.membersUpTo must be a whole number/],
		[{ 'room:*': { events: 'all' } }, /\.events must be 'members', 'count' or 'none', not "all"/],
		[{ 'room:*': { events: null } }, /\.events must be/],
	])('reject %j', (rules, message) => {
		const read = (): PresencePatterns => new PresencePatterns(rules as PresenceRules);
		expect(read).toThrow(InvalidOptionError);
		expect(read).toThrow(message);
	});

	it('have defaults', () => {
		const patterns = new PresencePatterns({ 'room:*': {} });
		expect(patterns.ruleOf('room:1')).toEqual({ leaveDelayMs: 5_000, events: 'members', membersUpTo: 1_000 });
	});

	it('take their limits', () => {
		const least = { leaveDelayMs: 0, events: 'none', membersUpTo: 0 } as const;
		const most = { leaveDelayMs: 300_000, events: 'count', membersUpTo: 10_000 } as const;
		const patterns = new PresencePatterns({ least, most });
		expect([patterns.ruleOf('least'), patterns.ruleOf('most')]).toEqual([least, most]);
	});

	it('apply to the topics that their pattern matches, the first one first', () => {
		const patterns = new PresencePatterns({ 'room:1': { leaveDelayMs: 1 }, 'room:*': { leaveDelayMs: 2 } });
		const delays = (): unknown[] =>
			['room:1', 'room:10', 'rooms', 'room:'].map((topic) => patterns.ruleOf(topic)?.leaveDelayMs);
		expect(delays()).toEqual([1, 2, undefined, 2]);
		expect(delays(), 'from the cache').toEqual([1, 2, undefined, 2]);
	});

	it('say whether there are any', () => {
		expect(new PresencePatterns({}).areAny).toBe(false);
		expect(new PresencePatterns({ '*': {} }).areAny).toBe(true);
	});

	it('are found for more topics than are cached', () => {
		const patterns = new PresencePatterns({ 'room:*7': {} });
		const found = Array.from({ length: 3_000 }, (_, i) => patterns.ruleOf(`room:${i}`)).filter(Boolean);
		expect(found).toHaveLength(300);
	});
});
