import type { SocketData } from '@orijs/websocket';
import type { WebSocketHandler } from 'bun';
import type { AllLimits } from '../limits.ts';

/**
 * The limits that Bun enforces itself: it closes a connection that sends too large a message, or nothing for too long.
 */
export function bunLimits({
	messageBytes,
	idleTimeoutMs,
}: AllLimits): Pick<WebSocketHandler<SocketData>, 'maxPayloadLength' | 'idleTimeout' | 'sendPings'> {
	return {
		maxPayloadLength: messageBytes,
		idleTimeout: Math.ceil(idleTimeoutMs / 1000),
		sendPings: true,
	};
}
