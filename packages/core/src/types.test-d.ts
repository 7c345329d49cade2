// Checked by the compiler only; nothing here runs.

import type { SocketEmitter } from '@orijs/websocket';
import { InProcWsProvider } from '@orijs/websocket';
import { Application, type AppSocket, type UpgradeResult, type WebSocketOptions } from './index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface User {
	readonly name: string;
}
declare const user: User;
const provider = new InProcWsProvider();

// `ws.data.data` is what upgrade() returns, of that what lets a client in.
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

// It keeps its type through everything that is chained.
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

// Without upgrade() nothing is known of it.
new Application().websocket({ path: '/chat' }).onWebSocket({
	open(ws) {
		same<typeof ws.data.data, unknown>(true);
		// @ts-expect-error it may be anything
		void ws.data.data.name;
	},
});

// A handler for other data does not fit.
new Application().websocket({ upgrade: () => user }).onWebSocket({
	// @ts-expect-error upgrade() returns a user, not a number
	open(_: AppSocket<number>) {},
});

// What the socket adds to Bun's own, and what it leaves.
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
// @ts-expect-error Bun's compress flag is not offered: it means nothing to other nodes
void ws.publish('t', 'x', true);
// @ts-expect-error an object has to be made a string first
void ws.publish('t', { a: 1 });
// @ts-expect-error bytes go through publishBinary
void ws.publishText('t', new Uint8Array(1));
// @ts-expect-error text goes through publishText
void ws.publishBinary('t', 'x');
// @ts-expect-error an identity is for life
ws.data.socketId = 'another';
// @ts-expect-error topics are joined by subscribe
ws.data.topics.add('t');

// What websocket() takes.
new Application().websocket();
new Application().websocket(provider);
new Application().websocket(provider, { path: '/chat', upgradeTimeoutMs: 100 });
// @ts-expect-error options come last
new Application().websocket({ path: '/chat' }, provider);
// @ts-expect-error a path is a string
new Application().websocket({ path: 7 });
// @ts-expect-error there is no such option
new Application().websocket({ paht: '/chat' });
// @ts-expect-error a bus is not a provider; a provider is made with it
new Application().websocket({ start() {}, stop() {}, subscribe() {}, unsubscribe() {}, publish() {} });
// @ts-expect-error upgrade() is a function
new Application().websocket({ upgrade: user });
// @ts-expect-error handlers have no such name
new Application().websocket().onWebSocket({ onOpen() {} });
same<
	WebSocketOptions<User>['upgrade'],
	((req: Request) => UpgradeResult<User> | Promise<UpgradeResult<User>>) | undefined
>(true);

// Routes, hooks, listening, sending.
// @ts-expect-error a route has to answer
new Application().routes({ '/': () => {} });
// @ts-expect-error a hook is a function
new Application().onStartup(Promise.resolve());
// @ts-expect-error a port is a number
void new Application().listen('3000');
same<Application['socket'], SocketEmitter>(true);
same<ReturnType<Application['stop']>, Promise<void>>(true);
