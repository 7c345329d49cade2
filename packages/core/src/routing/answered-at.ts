import type { WebSocketProvider } from '@orijs/websocket';
import type { AnsweredAt } from '@orijs/websocket/protocol';

/** Returns the time to put into an answer that is sent now. Lag and clock differences are omitted if they are zero. */
export function answeredAt(provider: Pick<WebSocketProvider, 'watermark'>): AnsweredAt {
	const { lagMs, clocksBehindMs, clocksAheadMs } = provider.watermark();
	return {
		timestamp: Date.now(),
		...(lagMs > 0 && { lagMs }),
		...(clocksBehindMs > 0 && { behindMs: clocksBehindMs }),
		...(clocksAheadMs > 0 && { aheadMs: clocksAheadMs }),
	};
}
