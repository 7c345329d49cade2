import type { WebSocketProvider } from '@orijs/websocket';
import type { AnsweredAt } from '@orijs/websocket/protocol';

/** The time of an answer that is sent now. What is zero is left out. */
export function answeredAt(provider: Pick<WebSocketProvider, 'watermark'>): AnsweredAt {
	const { lagMs, clocksBehindMs, clocksAheadMs } = provider.watermark();
	return {
		timestamp: Date.now(),
		...(lagMs > 0 && { lagMs }),
		...(clocksBehindMs > 0 && { behindMs: clocksBehindMs }),
		...(clocksAheadMs > 0 && { aheadMs: clocksAheadMs }),
	};
}
