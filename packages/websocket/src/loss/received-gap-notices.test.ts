import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ReceivedGapNotices } from './received-gap-notices.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('recognises repeated notices for as long as they may be repeated, and then forgets them', () => {
	const notices = new ReceivedGapNotices(30_000);
	expect([notices.isNew('a'), notices.isNew('b'), notices.isNew('a')]).toEqual([true, true, false]);
	vi.advanceTimersByTime(29_900);
	expect(notices.isNew('a')).toBe(false);
	vi.advanceTimersByTime(200);
	expect(vi.getTimerCount()).toBe(0);
	expect(notices.isNew('a')).toBe(true);
});
