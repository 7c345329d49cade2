import type { ProviderStatus } from '@orijs/websocket';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DeliveryWatermark } from './delivery-watermark.ts';

beforeEach(() => {
	vi.useFakeTimers({ now: 0 });
});

afterEach(() => {
	vi.useRealTimers();
});

it('is the present while delivery works, stops while it is degraded, and continues a while after it recovers', () => {
	const provider = { status: 'ready' as ProviderStatus };
	const watermark = new DeliveryWatermark(provider);
	const at = (ms: number, status: ProviderStatus): number => {
		vi.setSystemTime(ms);
		provider.status = status;
		return watermark.now();
	};
	expect(at(10_000, 'ready')).toBe(10_000);
	expect(at(11_000, 'degraded')).toBe(10_000);
	expect(at(60_000, 'degraded')).toBe(10_000);
	expect(at(61_000, 'ready')).toBe(10_000);
	expect(at(62_999, 'ready')).toBe(10_000);
	expect(at(63_000, 'ready')).toBe(63_000);
	expect(at(63_001, 'ready')).toBe(63_001);
});
