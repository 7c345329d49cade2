import { describe, expect, it } from 'vitest';
import { slotOf } from './slot.ts';

describe('the hash slot of a channel', () => {
	// The slots that CLUSTER KEYSLOT of Redis 7.0.15 returns.
	it.each([
		['123456789', 12_739],
		['orijs:chat:1', 15_799],
		['', 0],
	])('of %j is %i', (redisChannel, slot) => {
		expect(slotOf(redisChannel)).toBe(slot);
	});
});
