import type { SocketData } from '@orijs/websocket';
import { show } from '@orijs/websocket/internal';
import type { WebSocketHandler } from 'bun';
import { ApplicationError } from '../errors.ts';
import type { EndpointSetup } from './endpoint-setup.ts';
import { mustFitTogether } from './fitting-endpoints.ts';
import { serverHandlers } from './server-handlers.ts';
import { serve, SocketEndpoint } from './socket-endpoint.ts';

/**
 * Returns the `websocket` for a server with several endpoints. Bun has one `maxPayloadLength`, `idleTimeout` and
 * `backpressureLimit` for all sockets of a server: it gets the largest, and each endpoint enforces its own.
 *
 * ```ts
 * const server = Bun.serve({
 *   fetch: (req, server) => chat.handle(req, server) ?? admin.handle(req, server) ?? hono.fetch(req, server),
 *   websocket: handlers(chat, admin),
 * });
 * await Promise.all([chat.start(server), admin.start(server)]);
 * ```
 *
 * @throws {ApplicationError} two endpoints have the same path or other `slowReaders`, with `drop` other
 * `limits.queuedBytes`, or an argument is not an endpoint that stands alone
 */
export function handlers(
	first: SocketEndpoint<any>,
	...others: readonly SocketEndpoint<any>[]
): WebSocketHandler<SocketData> {
	const setups = [first, ...others].map((endpoint) => {
		if (endpoint instanceof SocketEndpoint) return serve(endpoint, 'handlers()');
		throw new ApplicationError(`handlers(): pass endpoints, as in handlers(chat, admin), not ${show(endpoint)}`);
	});
	mustFitTogether('handlers()', setups);
	return serverHandlers(setups[0] as EndpointSetup, setups.slice(1));
}
