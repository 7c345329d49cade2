import type { ServerOptions } from '@orijs/websocket';
import { SocketSession } from '../session/socket-session.ts';
import type { WebSocketEndpoint } from './websocket-endpoint.ts';

/**
 * Returns how a provider sends to the sockets of the endpoints that share it. They have the same policy for slow
 * readers, since they share a server too, but with `close` each has its own `queuedBytes`. A message to sockets of
 * several endpoints is compressed, for those that have negotiated it, if it is long enough for any of them.
 */
export function serverOptions(endpoints: readonly WebSocketEndpoint[]): ServerOptions {
	const bounds = endpoints.map(({ limits }) => limits.queuedBytes);
	const queuedBytes = Math.min(...bounds);
	const guardTimeoutMs = Math.max(...endpoints.map(({ opensWithinMs }) => opensWithinMs));
	const compressFromBytes = Math.min(...endpoints.map(({ compressFrom = Infinity }) => compressFrom));
	return {
		queuedBytes,
		subscribesAlone: true,
		guardTimeoutMs,
		addressOf: ({ data }) => (data instanceof SocketSession ? data.address : undefined),
		...(Math.max(...bounds) > queuedBytes && {
			queuedBytesOf: ({ data }) => (data instanceof SocketSession ? data.host.limits.queuedBytes : queuedBytes),
		}),
		slowReaders: endpoints[0]?.slowReaders ?? 'close',
		onSlowReader: ({ data }, since) => {
			if (data instanceof SocketSession) (data.host as WebSocketEndpoint).slowReaderDetected(data, since);
		},
		...(compressFromBytes < Infinity && { compressFromBytes }),
	};
}
