import type { Logger, SocketData } from '@orijs/websocket';
import type { BunRequest, Server } from 'bun';
import type { EndpointSetup } from '../endpoint/endpoint-setup.ts';
import { serverHandlers } from '../endpoint/server-handlers.ts';
import { ApplicationError } from '../errors.ts';
import { FaultLog } from '../support/fault-log.ts';
import type { ListenOptions } from './listen-options.ts';
import { IS_HOT } from '../reloading/hot-state.ts';
import { otherForm } from '../support/route-path.ts';
import { readinessRoute } from './readiness-route.ts';

/**
 * Answers requests to a route with a `Response`, or a promise of one. Its type leaves the result open, and the
 * application checks it instead: otherwise TypeScript would need the results of all handlers to know the type of `app`,
 * and no handler in the chain that creates `app` could use it (TS7022).
 */
export type RouteHandler<TPath extends string = string> = (req: BunRequest<TPath>, server: Server<SocketData>) => any;

/** What a path of `routes()` maps to: a response, a handler, or one of these per method. */
export type Route<TPath extends string = string> =
	| Bun.Serve.BaseRouteValue
	| RouteHandler<TPath>
	| Partial<Record<Bun.Serve.HTTPMethod, RouteHandler<TPath> | Response>>;

/**
 * HTTP routes in the format of `Bun.serve`: each path maps to a response, a handler, or one of these per method.
 *
 * @typeParam TPath the paths, which determine the type of `req.params`
 */
export type Routes<TPath extends string = string> = { readonly [P in TPath]: NoInfer<Route<P>> };

/** Answers the requests that no route takes. */
export type FetchHandler = (req: Request, server: Server<SocketData>) => Response | Promise<Response>;

export interface HttpServerOptions {
	readonly at: ListenOptions;
	readonly routes: Readonly<Record<string, unknown>>;
	/** The WebSocket endpoints, which have been created. */
	readonly endpoints: readonly EndpointSetup[];
	/** Answers what no route takes; by default 404. */
	readonly fetch: FetchHandler | undefined;
	/** The path of the readiness route, unless `routes` has it; false turns it off. */
	readonly readinessPath: string | false;
	/** What the readiness route reports. */
	readonly isReady: () => boolean;
	readonly logger: Logger;
}

/**
 * Binds the port and serves the routes and the endpoints.
 *
 * @throws {ApplicationError} a route, or the readiness route, has the path of an endpoint
 */
export function startHttpServer(options: HttpServerOptions): Server<SocketData> {
	const { at, endpoints, fetch = notFound, readinessPath, isReady, logger } = options;
	const routes = { ...(readinessPath !== false && { [readinessPath]: readinessRoute(isReady) }), ...options.routes };
	const faults = new FaultLog(logger);
	const shared = {
		...at,
		// Without this, `bun --hot` keeps the server on this port with its sockets open, and only replaces its handlers.
		...(IS_HOT && { id: null }),
		fetch,
		error: (err: Error) => {
			faults.failed({ what: 'A route failed', err }, {});
			return new Response('Internal Server Error', { status: 500 });
		},
	};
	const [first, ...others] = endpoints;
	if (first === undefined) return Bun.serve({ ...shared, routes } as Bun.Serve.Options<SocketData>);
	const forms: Record<string, unknown> = {};
	const upgrades: Record<string, unknown> = {};
	for (const { path, running } of endpoints) {
		if (path in options.routes) throw new ApplicationError(`${path} is both a route and the WebSocket endpoint`);
		if (path in routes)
			throw new ApplicationError(`${path} is both readinessPath and the WebSocket endpoint; set one to another path`);
		const upgrade = (req: BunRequest, server: Server<SocketData>) => running?.upgrade(req, server);
		forms[otherForm(path)] = upgrade;
		upgrades[path] = upgrade;
	}
	return Bun.serve({
		...shared,
		// If the application has a route for the other form of a path, that route wins.
		routes: { ...forms, ...routes, ...upgrades },
		websocket: serverHandlers(first, others),
	} as Bun.Serve.Options<SocketData>);
}

/** Every page may read the answer, so that clients can find out that their path is wrong. */
function notFound(): Response {
	return new Response('Not Found', { status: 404, headers: { 'Access-Control-Allow-Origin': '*' } });
}
