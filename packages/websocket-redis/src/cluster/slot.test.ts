import { describe, expect, it } from 'vitest';
import { slotOf } from './slot.ts';

describe('the hash slot of a channel', () => {
	// Computed by CLUSTER KEYSLOT of Redis 7.0.15.
	it.each([
		['123456789', 12_739],
		['orijs:chat:1', 15_799],
		['', 0],
	])('%j is in %i', (channel, slot) => {
		expect(slotOf(channel)).toBe(slot);
	});
});
