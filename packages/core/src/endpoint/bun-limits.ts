import type { SocketData } from '@orijs/websocket';
import type { WebSocketHandler } from 'bun';
import type { AllLimits } from '../limits.ts';

/** The longest idle timeout that Bun accepts, in seconds. */
const MAX_IDLE_TIMEOUT_S = 960;

/**
 * Returns the limits that Bun enforces itself. It closes connections that send too large a message. Its idle timer ends
 * connections only after they were closed, if their clients don't take what is still queued: on open ones, the pings of
 * `KeepAlive` restart it long before it expires. It must not be 0, which leaves those clients hardly any time.
 */
export function bunLimits({
	messageBytes,
	idleTimeoutMs,
}: AllLimits): Pick<WebSocketHandler<SocketData>, 'maxPayloadLength' | 'idleTimeout' | 'sendPings'> {
	return {
		maxPayloadLength: messageBytes,
		idleTimeout: Math.min(MAX_IDLE_TIMEOUT_S, Math.ceil((2 * idleTimeoutMs) / 1000)),
		sendPings: false,
	};
}
