import type { SocketData } from '@orijs/websocket';
import type { WebSocketHandler } from 'bun';
import type { AllLimits } from '../limits.ts';

/**
 * Returns the limits that Bun enforces itself: it closes connections that send too large a message, and connections
 * that are silent for too long.
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
