import type { AllLimits } from '../limits.ts';

/** The longest idle timeout that Bun accepts, in seconds. */
const MAX_IDLE_TIMEOUT_S = 960;

/** Options of `Bun.serve`, which apply to all sockets of a server. */
interface BunLimits {
	maxPayloadLength: number;
	/** In seconds. */
	idleTimeout: number;
	sendPings: false;
}

/**
 * Returns the limits that Bun itself enforces. Bun closes a connection whose message is too large. Its idle timer never
 * expires on open connections, because the pings of `KeepAlive` restart it. It only ends connections that are closing
 * but whose clients don't read what is still queued. It must not be 0, which would leave those clients hardly any time.
 */
export function bunLimits({ messageBytes, idleTimeoutMs }: AllLimits): BunLimits {
	return {
		maxPayloadLength: messageBytes,
		idleTimeout: Math.min(MAX_IDLE_TIMEOUT_S, Math.ceil((2 * idleTimeoutMs) / 1000)),
		sendPings: false,
	};
}
