import type { WebSocketProvider } from '@orijs/websocket';
import { answeredAt as answeredAtWith } from '@orijs/websocket/internal';
import type { AnsweredAt } from '@orijs/websocket/protocol';

/** Returns the time to put into an answer that is sent now. */
export function answeredAt(provider: Pick<WebSocketProvider, 'watermark'>): AnsweredAt {
	return answeredAtWith(provider.watermark());
}
