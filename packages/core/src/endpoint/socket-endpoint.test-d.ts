// Checked by the compiler only; nothing here runs.

import type { SocketData } from '@orijs/websocket';
import { InProcWsProvider } from '@orijs/websocket';
import type { Server } from 'bun';
import { Application, handlers, SocketEndpoint, type SocketEndpointOptions, SocketRouter } from '../index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface User {
	readonly name: string;
}
declare const user: User;
declare const fetchOfFramework: (req: Request, env?: unknown) => Response | Promise<Response>;

// The data of connections comes from `upgrade`, through all forms of the constructor and all methods.
const endpoint = new SocketEndpoint(new InProcWsProvider(), { path: '/ws', upgrade: () => user })
	.socketRouter(new SocketRouter())
	.onWebSocket({
		open(ws) {
			same<typeof ws.data.data, User>(true);
		},
	});
same<typeof endpoint, SocketEndpoint<User>>(true);
const plain = new SocketEndpoint({ path: '/plain' });
new SocketEndpoint();
new SocketEndpoint(undefined, { upgrade: async () => user }).onWebSocket({
	open: (ws) => same<typeof ws.data.data, User>(true),
});
const options: SocketEndpointOptions<User> = { upgrade: () => user };
new SocketEndpoint(options).onWebSocket({ message: (ws) => same<typeof ws.data.data, User>(true) });
// @ts-expect-error upgrade must return an object
new SocketEndpoint({ upgrade: () => 'yes' });
// @ts-expect-error there is no such option
new SocketEndpoint({ paths: '/ws' });
// @ts-expect-error options come after the provider
new SocketEndpoint({ path: '/ws' }, new InProcWsProvider());

// It fits Bun.serve without casts, whatever its data: alone, with routes, before a framework, with others.
const server = Bun.serve({
	fetch: (req, server) => endpoint.handle(req, server) ?? fetchOfFramework(req, server),
	websocket: endpoint.websocket,
});
same<typeof server, Server<SocketData>>(true);
void endpoint.start(server);
void endpoint.stop({ graceMs: 1_000 });
Bun.serve({
	routes: { '/ws': (req, server) => endpoint.handle(req, server), '/health': new Response('ok') },
	websocket: endpoint.websocket,
});
Bun.serve({
	routes: { '/health': () => new Response('ok') },
	fetch: async (req, server) => (await endpoint.handle(req, server)) ?? new Response('Not Found', { status: 404 }),
	websocket: endpoint.websocket,
});
const both = Bun.serve({
	fetch(req, server) {
		return endpoint.handle(req, server) ?? plain.handle(req, server) ?? new Response();
	},
	websocket: handlers(endpoint, plain),
});
void plain.start(both);
void ({
	fetch: (req, server) => endpoint.handle(req, server) ?? new Response(),
	websocket: endpoint.websocket,
} satisfies Bun.Serve.Options<SocketData>);

// What is missing is an error.
// @ts-expect-error a server without websocket handlers has no sockets
Bun.serve({ fetch: (req, server) => endpoint.handle(req, server) ?? new Response() });
// @ts-expect-error handle needs the server
void endpoint.handle(new Request(''));
// @ts-expect-error start needs the server
void endpoint.start();
// @ts-expect-error a port is not a server
void endpoint.start(3000);
// @ts-expect-error stop has no such option
void endpoint.stop({ readinessDelayMs: 1 });
// @ts-expect-error at least one endpoint
handlers();
// @ts-expect-error a provider is not an endpoint
handlers(new InProcWsProvider());

// Endpoints of an application.
const app = new Application().websocket({ upgrade: () => user }).fetch(fetchOfFramework);
const admin = app.endpoint('/admin', { upgrade: () => ({ level: 1 }) });
same<typeof admin, SocketEndpoint<{ level: number }>>(true);
app.endpoint('/other', new InProcWsProvider(), { limits: { connections: 10 } }).onWebSocket({});
// @ts-expect-error the path is the first argument
app.endpoint('/other', { path: '/ws' });
// @ts-expect-error the logger is the application's
app.endpoint('/other', { logger: console });
// @ts-expect-error the path is missing
app.endpoint({ limits: {} });
// @ts-expect-error a handler returns a response
new Application().fetch(() => 'text');
