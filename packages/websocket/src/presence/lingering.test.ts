import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Lingering } from './lingering.ts';
import { Member, OwnTopic } from './own-member.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open(): { readonly lingering: Lingering; readonly over: string[]; readonly backend: { isReady: boolean } } {
	const over: string[] = [];
	const backend = { isReady: true };
	const lingering = new Lingering(
		({ key }) => over.push(key),
		() => backend.isReady,
	);
	return { lingering, over, backend };
}

function memberOf(key: string, leaveDelayMs: number): Member {
	return new Member(new OwnTopic('t', { leaveDelayMs, events: 'members', membersUpTo: 100 }), key, key, 0);
}

it('ends after the delay of the topic', () => {
	const { lingering, over } = open();
	lingering.add(memberOf('slow', 5_000), performance.now());
	lingering.add(memberOf('fast', 1_000), performance.now());
	vi.advanceTimersByTime(1_001);
	expect(over).toEqual(['fast']);
	vi.advanceTimersByTime(4_000);
	expect(over).toEqual(['fast', 'slow']);
});

it('does not end while the backend is away, and takes the whole delay again afterwards', () => {
	const { lingering, over, backend } = open();
	lingering.add(memberOf('k', 1_000), performance.now());
	backend.isReady = false;
	vi.advanceTimersByTime(10_500);
	expect(over).toEqual([]);
	backend.isReady = true;
	lingering.restart(performance.now());
	vi.advanceTimersByTime(990);
	expect(over).toEqual([]);
	vi.advanceTimersByTime(1_000);
	expect(over).toEqual(['k']);
});
