import type { SlowReaderOptions } from '@orijs/websocket';
import { SocketSession } from '../session/socket-session.ts';
import type { WebSocketEndpoint } from './websocket-endpoint.ts';

/**
 * Returns how a provider handles the slow readers of the endpoints that share it. They have the same policy, since they
 * share a server too, but with `close` each has its own `queuedBytes`.
 */
export function slowReaderOptions(endpoints: readonly WebSocketEndpoint[]): SlowReaderOptions {
	const bounds = endpoints.map(({ limits }) => limits.queuedBytes);
	const queuedBytes = Math.min(...bounds);
	return {
		queuedBytes,
		...(Math.max(...bounds) > queuedBytes && {
			queuedBytesOf: ({ data }) => (data instanceof SocketSession ? data.host.limits.queuedBytes : queuedBytes),
		}),
		slowReaders: endpoints[0]?.slowReaders ?? 'close',
		onSlowReader: ({ data }, since) => {
			if (data instanceof SocketSession) (data.host as WebSocketEndpoint).slowReaderDetected(data, since);
		},
	};
}
