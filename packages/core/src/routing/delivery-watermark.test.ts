import type { ProviderStatus } from '@orijs/websocket';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DeliveryWatermark } from './delivery-watermark.ts';

beforeEach(() => {
	vi.useFakeTimers({ now: 0 });
});

afterEach(() => {
	vi.useRealTimers();
});

it('is the present while messages pass, stands still while they may not, and goes on a while after they do again', () => {
	const provider = { status: 'ready' as ProviderStatus };
	const proven = new DeliveryWatermark(provider);
	const at = (ms: number, status: ProviderStatus): number => {
		vi.setSystemTime(ms);
		provider.status = status;
		return proven.now();
	};
	expect(at(10_000, 'ready')).toBe(10_000);
	expect(at(11_000, 'degraded')).toBe(10_000);
	expect(at(60_000, 'degraded')).toBe(10_000);
	expect(at(61_000, 'ready')).toBe(10_000);
	expect(at(62_999, 'ready')).toBe(10_000);
	expect(at(63_000, 'ready')).toBe(63_000);
	expect(at(63_001, 'ready')).toBe(63_001);
});
