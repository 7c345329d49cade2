import type { SocketData } from '@orijs/websocket';
import type { Server } from 'bun';
import { onTestFinished } from 'vitest';
import { handlers, type SocketEndpoint } from '../index.ts';
import type { Address } from './serve.ts';

/** A server of one's own, with endpoints. */
export interface EndpointServer extends Address {
	readonly server: Server<SocketData>;
}

/** Serves endpoints beside an HTTP route, until the test ends. They have not started yet. */
export function openServer(first: SocketEndpoint<any>, ...others: readonly SocketEndpoint<any>[]): EndpointServer {
	const endpoints = [first, ...others];
	const server = Bun.serve({
		port: 0,
		fetch(req, server) {
			for (const endpoint of endpoints) {
				const handled = endpoint.handle(req, server);
				if (handled !== undefined) return handled;
			}
			return new Response('not for an endpoint');
		},
		websocket: others.length === 0 ? first.websocket : handlers(first, ...others),
	});
	onTestFinished(async () => {
		await Promise.all(endpoints.map((endpoint) => endpoint.stop()));
		await server.stop(true);
	});
	const { port = 0 } = server;
	return { server, port, http: `http://localhost:${port}`, ws: `ws://localhost:${port}/ws` };
}

/** Like {@link openServer}, and starts the endpoints. */
export async function serveEndpoints(
	first: SocketEndpoint<any>,
	...others: readonly SocketEndpoint<any>[]
): Promise<EndpointServer> {
	const opened = openServer(first, ...others);
	for (const endpoint of [first, ...others]) await endpoint.start(opened.server);
	return opened;
}
