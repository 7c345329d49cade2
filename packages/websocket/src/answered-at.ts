import type { AnsweredAt } from './protocol/built-in.ts';
import type { Watermark } from './provider-contract.ts';

/** Returns the time to put into a frame that is sent now. Lag and clock differences are omitted if they are zero. */
export function answeredAt({ lagMs, clocksBehindMs, clocksAheadMs }: Watermark): AnsweredAt {
	return {
		timestamp: Date.now(),
		lagMs: unlessZero(lagMs),
		behindMs: unlessZero(clocksBehindMs),
		aheadMs: unlessZero(clocksAheadMs),
	};
}

/** JSON omits what is undefined. */
function unlessZero(ms: number): number | undefined {
	return ms > 0 ? ms : undefined;
}
