// Only compiled, never run.

import type { SocketEmitter } from '@orijs/websocket';
import { InProcWsProvider } from '@orijs/websocket';
import type { BunRequest, CookieMap } from 'bun';
import {
	Application,
	type ApplicationSocket,
	type AppSocket,
	type ConnectionData,
	type Routes,
	SocketRouter,
	type UpgradeResponse,
	type UpgradeResult,
	type WebSocketHandlers,
	type WebSocketOptions,
} from './index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface User {
	readonly name: string;
}
declare const user: User;
const provider = new InProcWsProvider();

// The type of `ws.data.data` is what upgrade() returns, excluding the return values that refuse the connection.
new Application().websocket({ upgrade: () => user }).onWebSocket({
	open(ws) {
		same<typeof ws, AppSocket<User>>(true);
		same<typeof ws.data.data, User>(true);
		// @ts-expect-error a user has no such property
		void ws.data.data.age;
	},
	message(ws, message) {
		same<typeof ws.data.data, User>(true);
		same<typeof message, string | Buffer>(true);
	},
	close(ws, code, reason) {
		same<typeof ws.data.data, User>(true);
		same<[typeof code, typeof reason], [number, string]>(true);
	},
	drain(ws) {
		same<typeof ws.data.data, User>(true);
	},
	ping(ws, data) {
		same<typeof ws.data.data, User>(true);
		same<typeof data, Buffer>(true);
	},
	async pong(ws, data) {
		same<typeof ws.data.data, User>(true);
		same<typeof data, Buffer>(true);
	},
});
new Application()
	.websocket(provider, {
		async upgrade(req) {
			if (req.headers.get('authorization') === null) return null;
			if (req.headers.get('x-old') !== null) return new Response('too old', { status: 410 });
			return { id: 7, roles: ['admin'] };
		},
	})
	.onWebSocket({
		open(ws) {
			same<typeof ws.data.data, { id: number; roles: string[] }>(true);
		},
	});
new Application().websocket(undefined, { upgrade: () => user }).onWebSocket({
	open(ws) {
		same<typeof ws.data.data, User>(true);
	},
});

// `ws.data.data` keeps its type through chained calls.
new Application()
	.websocket({ upgrade: () => user })
	.routes({ '/': new Response() })
	.onStartup(() => {})
	.onShutdown(async () => {})
	.onWebSocket({
		open(ws) {
			same<typeof ws.data.data, User>(true);
			ws.cork((corked) => same<typeof corked, AppSocket<User>>(true));
		},
	});

// Without upgrade(), `ws.data.data` can be any object.
new Application().websocket({ path: '/chat' }).onWebSocket({
	open(ws) {
		same<typeof ws.data.data, ConnectionData>(true);
		// @ts-expect-error it may be any object
		void ws.data.data.name;
	},
});

// `ws.data.data` can be any object, even one with unknown keys, such as a token's claims.
interface Claims {
	readonly sub?: string;
	readonly [claim: string]: unknown;
}
declare const claims: Claims;
new Application().websocket({ upgrade: async () => claims }).onWebSocket({
	open(ws) {
		same<typeof ws.data.data, Claims>(true);
	},
});
new Application().websocket({ upgrade: (req) => (req.url === '' ? user : claims) }).onWebSocket({
	open(ws) {
		same<typeof ws.data.data, User | Claims>(true);
	},
});
new Application().websocket({ upgrade: () => new Map([['name', 'ann']]) }).onWebSocket({
	open(ws) {
		same<typeof ws.data.data, Map<string, string>>(true);
	},
});
new Application().websocket<User>({ upgrade: () => user }).onWebSocket({
	open(ws) {
		same<typeof ws.data.data, User>(true);
	},
});
new Application().websocket({ upgrade: () => null }).onWebSocket({
	open(ws) {
		same<typeof ws.data.data, ConnectionData>(true);
	},
});

// The data is always an object. Rejecting with any other value must not compile, since it might admit everyone.
declare const isUser: boolean;
// @ts-expect-error false rejects, but true is not data
new Application().websocket({ upgrade: () => isUser });
// @ts-expect-error false rejects, but true is not data
new Application().websocket({ upgrade: async () => isUser });
new Application().websocket({ upgrade: () => isUser && user }).onWebSocket({
	open: (ws) => same<typeof ws.data.data, User>(true),
});
new Application().websocket({ upgrade: async () => isUser && user }).onWebSocket({
	open: (ws) => same<typeof ws.data.data, User>(true),
});
// @ts-expect-error return null to reject, not undefined
new Application().websocket({ upgrade: () => (isUser ? user : undefined) });
// @ts-expect-error return null to reject, not undefined
new Application().websocket({ upgrade: async () => (isUser ? user : undefined) });
// @ts-expect-error return null to reject, not nothing
new Application().websocket({ upgrade() {} });
// @ts-expect-error return null to reject, not nothing
new Application().websocket({ async upgrade() {} });
// @ts-expect-error return null to reject, not nothing
new Application().websocket(provider, { async upgrade() {} });
// @ts-expect-error a string is not an object
new Application().websocket({ upgrade: () => user.name });
// @ts-expect-error a string is not an object
new Application().websocket({ upgrade: async () => user.name });
// @ts-expect-error a number is not an object
new Application().websocket({ upgrade: () => 7 });
// @ts-expect-error unknown may be anything
new Application().websocket({ upgrade: (): unknown => user });
// @ts-expect-error a boolean is not an object, even if declared as the data
new Application().websocket<boolean>({ upgrade: () => isUser });
void ({
	// @ts-expect-error the same holds for options on their own
	upgrade: async () => isUser,
} satisfies WebSocketOptions);

// A handler for other data does not compile.
new Application().websocket({ upgrade: () => user }).onWebSocket({
	// @ts-expect-error upgrade() returns a user, not a number
	open(_: AppSocket<number>) {},
});

// The members of Bun's socket that `AppSocket` changes, and those it keeps.
declare const ws: AppSocket<User>;
same<ReturnType<typeof ws.subscribe>, Promise<void>>(true);
same<ReturnType<typeof ws.unsubscribe>, Promise<void>>(true);
same<ReturnType<typeof ws.publish>, Promise<void>>(true);
same<ReturnType<typeof ws.publishText>, Promise<void>>(true);
same<ReturnType<typeof ws.publishBinary>, Promise<void>>(true);
same<ReturnType<typeof ws.isSubscribed>, boolean>(true);
same<typeof ws.subscriptions, string[]>(true);
same<typeof ws.remoteAddress, string>(true);
same<typeof ws.data.socketId, string>(true);
same<typeof ws.data.topics, ReadonlySet<string>>(true);
same<ReturnType<typeof ws.cork<number>>, number>(true);
void ws.send('text');
void ws.send(new Uint8Array(1));
void ws.publishBinary('t', new ArrayBuffer(1));
// @ts-expect-error Bun's compress flag is not supported: it has no meaning on other nodes
void ws.publish('t', 'x', true);
// @ts-expect-error an object must be serialized first
void ws.publish('t', { a: 1 });
// @ts-expect-error bytes go through publishBinary
void ws.publishText('t', new Uint8Array(1));
// @ts-expect-error text goes through publishText
void ws.publishBinary('t', 'x');
// @ts-expect-error a socket's id never changes
ws.data.socketId = 'another';
// @ts-expect-error topics are added by subscribe
ws.data.topics.add('t');

// The arguments of websocket().
new Application().websocket();
new Application().websocket(provider);
new Application().websocket(provider, { path: '/chat', upgradeTimeoutMs: 100 });
// @ts-expect-error options come last
new Application().websocket({ path: '/chat' }, provider);
// @ts-expect-error a path is a string
new Application().websocket({ path: 7 });
// @ts-expect-error no such option
new Application().websocket({ paht: '/chat' });
// @ts-expect-error a bus is not a provider; a provider is created with one
new Application().websocket({ start() {}, stop() {}, subscribe() {}, unsubscribe() {}, publish() {} });
// @ts-expect-error upgrade() is a function
new Application().websocket({ upgrade: user });
// @ts-expect-error no such handler
new Application().websocket().onWebSocket({ onOpen() {} });
same<
	WebSocketOptions<User>['upgrade'],
	((req: BunRequest, response: UpgradeResponse) => UpgradeResult<User> | Promise<UpgradeResult<User>>) | undefined
>(true);
new Application().websocket({
	upgrade(req) {
		same<typeof req.cookies, CookieMap>(true);
		same<typeof req.params, Record<string, string>>(true);
		return user;
	},
});
new Application()
	.websocket({
		upgrade(req, response) {
			same<typeof response, UpgradeResponse>(true);
			response.headers.append('Set-Cookie', 'seen=1');
			// @ts-expect-error headers are added to, not replaced
			response.headers = new Headers();
			return req.cookies.has('session') && user;
		},
	})
	.onWebSocket({
		open(ws) {
			same<typeof ws.data.data, User>(true);
			same<typeof ws.subprotocol, string | undefined>(true);
		},
	});
new Application().websocket({ upgrade: () => user, subprotocol: ['v2', 'v1'] });
new Application().websocket({ subprotocol: (offered, req) => offered.find((name) => name === req.params['version']) });
// @ts-expect-error the choice is synchronous
new Application().websocket({ subprotocol: async (offered) => offered[0] });
// @ts-expect-error a list, even of one
new Application().websocket({ subprotocol: 'v2' });
const ofAnyRequest = (req: Request): User => ({ name: req.url });
new Application().websocket({ upgrade: ofAnyRequest });
// @ts-expect-error connection data must be an object
void ({} satisfies WebSocketHandlers<string>);

// Routes, hooks, listening, sending.
new Application().routes({
	'/:room/users/:user': (req) => {
		same<typeof req.params, { room: string; user: string }>(true);
		// @ts-expect-error the path has no such parameter
		void req.params.users;
		return new Response();
	},
	'/rooms/:room': {
		async GET({ params }, server) {
			same<typeof params, { room: string }>(true);
			return new Response(`${params.room} ${server.port}`);
		},
		// @ts-expect-error the path has no such parameter
		POST: ({ params }) => new Response(params.user),
	},
	'/files/*': (req) => new Response(req.cookies.get('session')),
	'/fixed': new Response(),
});
const routes: Routes = { '/:room': (req) => new Response(req.params['room']) };
new Application().routes(routes);
// @ts-expect-error a route is a handler, a response, or one of these by method
new Application().routes({ '/': 'text' });
// @ts-expect-error there is no such method
new Application().routes({ '/': { FETCH: () => new Response() } });

// Routes, hooks, handlers and listeners can use the application in the chain that creates it, whatever they return.
const chained = new Application()
	.routes({
		'/plain': () => Response.json(chained.refusals),
		'/rooms/:room': async (req) => {
			same<typeof req.params, { room: string }>(true);
			await chained.socket.publish(req.params.room, 'text');
			return Response.json(chained.isStopping);
		},
		'/by-method': {
			GET: (req) => Response.json([chained.isStopping, req.url]),
			POST: new Response(),
		},
	})
	.onStartup(() => chained.stop())
	.websocket({ upgrade: () => user })
	.onEvent(({ type }) => chained.socket.publish('events', type))
	.onWebSocket({
		open: (ws) => chained.socket.publish('lobby', ws.data.data.name),
		message: async (_, message) => chained.socket.publish('lobby', message),
	})
	.socketRouter(new SocketRouter())
	.routes({ '/later': (_, server) => new Response(`${chained.isStopping} ${server.port}`) });
same<typeof chained, Application<User>>(true);
// @ts-expect-error a hook is a function
new Application().onStartup(Promise.resolve());
// @ts-expect-error a port is a number
void new Application().listen('3000');
void new Application().listen({ unix: '/run/app.sock', development: false });
// @ts-expect-error a Unix socket has no port
void new Application().listen({ unix: '/run/app.sock', port: 3000 });
// @ts-expect-error a Unix socket has no address
void new Application().listen({ unix: '/run/app.sock', hostname: 'localhost' });
same<Application['socket'], ApplicationSocket>(true);
void (new Application().socket satisfies SocketEmitter);
same<ReturnType<Application['stop']>, Promise<void>>(true);
