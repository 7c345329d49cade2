import type { UnsubscribeOptions, WebSocketProvider } from '@orijs/websocket';
import { isTopic } from '@orijs/websocket/protocol';

/**
 * Unsubscribes a socket on behalf of its own handlers. If its client has disconnected, the socket is no longer in any
 * topic: there is nothing to do and nothing to report.
 */
export function unsubscribeOwnSocket(
	provider: WebSocketProvider,
	socketId: string,
	topic: string,
	options?: UnsubscribeOptions,
): Promise<void> {
	if (!provider.isConnected(socketId) && isTopic(topic)) return Promise.resolve();
	return provider.unsubscribe(socketId, topic, options);
}
