import type { Logger, SocketData } from '@orijs/websocket';
import type { BunRequest, Server } from 'bun';
import type { WebSocketEndpoint } from '../endpoint/websocket-endpoint.ts';
import { ApplicationError } from '../errors.ts';
import type { ListenOptions } from './listen-options.ts';

/**
 * HTTP routes in the format of `Bun.serve`: each path maps to a response, a handler, or one of these per method.
 *
 * @typeParam TPath the paths, which determine the type of `req.params`
 */
export type Routes<TPath extends string = string> = Bun.Serve.Routes<SocketData, TPath>;

export interface HttpServerOptions {
	readonly at: ListenOptions;
	readonly routes: Readonly<Record<string, unknown>>;
	readonly endpoint: WebSocketEndpoint | undefined;
	/** The path of the WebSocket endpoint. */
	readonly path: string;
	readonly logger: Logger;
}

/** Binds the port and serves the routes and the endpoint. @throws {ApplicationError} a route has the endpoint's path */
export function startHttpServer({ at, routes, endpoint, path, logger }: HttpServerOptions): Server<SocketData> {
	const shared = {
		...at,
		fetch: () => new Response('Not Found', { status: 404 }),
		error: (err: Error) => {
			logger.error('A route failed', { err });
			return new Response('Internal Server Error', { status: 500 });
		},
	};
	if (endpoint === undefined) return Bun.serve({ ...shared, routes: { ...routes } } as Bun.Serve.Options<SocketData>);
	if (path in routes) throw new ApplicationError(`${path} is both a route and the WebSocket endpoint`);
	const upgrade = (req: BunRequest, server: Server<SocketData>) => endpoint.upgrade(req, server);
	return Bun.serve({
		...shared,
		// A route of the application with the other form of the path wins.
		routes: { [otherForm(path)]: upgrade, ...routes, [path]: upgrade },
		websocket: endpoint.bunHandlers(),
	} as Bun.Serve.Options<SocketData>);
}

/** Returns the path without its trailing slash, or with one. To Bun these are two routes; to clients, one endpoint. */
function otherForm(path: string): string {
	if (path === '/' || path.endsWith('*')) return path;
	return path.endsWith('/') ? path.slice(0, -1) : `${path}/`;
}
