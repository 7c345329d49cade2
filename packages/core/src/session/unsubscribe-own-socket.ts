import type { WebSocketProvider } from '@orijs/websocket';
import { quiet } from '@orijs/websocket/internal';
import { isOwnSocketGone } from './is-own-socket-gone.ts';

/**
 * Unsubscribes a socket on behalf of its own handlers. If its client has disconnected, the socket is in no topic any
 * more, so there is nothing to report.
 */
export function unsubscribeOwnSocket(provider: WebSocketProvider, socketId: string, topic: string): Promise<void> {
	const done = provider.unsubscribe(socketId, topic);
	if (provider.isConnected(socketId)) return done;
	return quiet(
		done.catch((err: unknown) => {
			if (!isOwnSocketGone(socketId, err)) throw err;
		}),
	);
}
