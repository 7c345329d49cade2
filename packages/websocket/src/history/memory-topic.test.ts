import { expect, it } from 'vitest';
import { BegunTopics } from './begun-topics.ts';
import { HIGHEST_OFFSET, type HistoryBounds, LONGEST_STEP } from './history-store.ts';
import { MemoryTopic } from './memory-topic.ts';

const bounds: HistoryBounds = { size: 100, bytes: 10_000, ttlMs: 60_000 };

it('begins an empty epoch before its offsets get too high', () => {
	const topic = new MemoryTopic(bounds, new BegunTopics(), HIGHEST_OFFSET - 3 * LONGEST_STEP);
	const before = topic.append(['old'], bounds, 0);
	expect(before.entries[0]?.prev).toBe(HIGHEST_OFFSET - 3 * LONGEST_STEP);
	const after = topic.append(['1', '2', '3'], bounds, 0);

	expect(after.epoch).not.toBe(before.epoch);
	expect(after.entries[0]?.prev).toBe(0);
	expect(after.last).toBeLessThanOrEqual(3 * LONGEST_STEP);
	expect(after.beginning?.after).toBeGreaterThan(0);
	expect(topic.read({ after: 0, limit: 10 }, bounds, 0)).toEqual(after);
});

it('remembers keys from one epoch to the next', () => {
	const topic = new MemoryTopic(bounds, new BegunTopics(), HIGHEST_OFFSET);
	expect(topic.addKey('key', 0)).toBe(true);
	topic.append(['x'], bounds, 0);

	expect(topic.addKey('key', 0)).toBe(false);
});
