import type { AnsweredAt } from './protocol/built-in.ts';
import type { Watermark } from './provider-contract.ts';

/** Returns the time to put into a frame that is sent now. Lag and clock differences are omitted if they are zero. */
export function answeredAt({ lagMs, clocksBehindMs, clocksAheadMs }: Watermark): AnsweredAt {
	return {
		timestamp: Date.now(),
		...(lagMs > 0 && { lagMs }),
		...(clocksBehindMs > 0 && { behindMs: clocksBehindMs }),
		...(clocksAheadMs > 0 && { aheadMs: clocksAheadMs }),
	};
}
