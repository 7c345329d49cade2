// Checked by the compiler only; nothing here runs.

import { InProcWsProvider, SocketCoordinator, type SocketData } from '@orijs/websocket';
import { type SocketEndpoint, SocketProtocol, type SocketProtocolOptions, SocketRouter } from '../index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface User {
	readonly name: string;
}
interface Level {
	readonly level: number;
}
declare const user: User;
declare const req: Request;

const provider = new InProcWsProvider();
const users = new SocketRouter<User>();
const levels = new SocketRouter<Level>();
const socketId = crypto.randomUUID();

// What handlers need comes from the routers.
same<SocketProtocol<User>, ReturnType<typeof ofUsers>>(true);
function ofUsers() {
	return new SocketProtocol(provider, { routers: [users, new SocketRouter()] });
}
new SocketProtocol<User & Level>(provider, { routers: [users, levels, new SocketRouter()] });
// @ts-expect-error handlers need a level
new SocketProtocol<User>(provider, { routers: [users, levels] });
new SocketProtocol(provider, {
	routers: [users],
	authorize: {
		subscribe(ws, topic) {
			same<typeof ws.data.data, User>(true);
			return topic === ws.data.data.name;
		},
	},
	limits: { messageDepth: 3 },
});
const options: SocketProtocolOptions = { authorize: { subscribe: () => true } };
new SocketProtocol(provider, options);
new SocketProtocol(provider);
// @ts-expect-error the provider is missing
new SocketProtocol({ routers: [users] });
// @ts-expect-error routers are an array
new SocketProtocol(provider, { routers: users });
declare const endpoint: SocketEndpoint;
// @ts-expect-error an endpoint is not a router
new SocketProtocol(provider, { routers: [endpoint] });
// @ts-expect-error neither is an object
new SocketProtocol(provider, { routers: [{}] });
// @ts-expect-error only a SocketEndpoint limits the rate
new SocketProtocol(provider, { limits: { messagesPerSecond: 10 } });

// The quick start, with typed messages, without casts.
const protocol = new SocketProtocol(provider, { routers: [users] });
const coordinator = new SocketCoordinator({ provider });
const server = Bun.serve<SocketData<User>>({
	fetch(req, server) {
		const data = { socketId: crypto.randomUUID(), data: user, topics: new Set<string>() };
		if (server.upgrade(req, protocol.accept(req, data))) return;
		if (server.upgrade(req, protocol.accept(req, { socketId, data: { name: 'ann' }, topics: new Set() }))) return;
		return new Response();
	},
	websocket: {
		open(ws) {
			void coordinator.addConnection(ws);
		},
		message(ws, message) {
			if (!protocol.handle(ws, message)) ws.send(message);
		},
		close(ws) {
			coordinator.removeConnection(ws.data.socketId);
			protocol.close(ws);
		},
	},
});
provider.setServer(server);
protocol.stop();

// Data of the application's own beside it is kept.
const accepted = protocol.accept(req, { socketId, data: user, topics: new Set<string>(), openedAt: 1 });
same<typeof accepted.data.openedAt, number>(true);
same<typeof accepted.headers, Headers>(true);
// @ts-expect-error handlers read the user in ctx.state
protocol.accept(req, { socketId, data: {}, topics: new Set<string>() });
// @ts-expect-error the socketId is missing
protocol.accept(req, { data: user, topics: new Set<string>() });
// @ts-expect-error the data of the socket is missing
protocol.accept(req);

// Without state, the data can be anything, as in the quick start.
declare const any: Bun.ServerWebSocket<SocketData>;
const stateless = new SocketProtocol(provider, { routers: [new SocketRouter()] });
stateless.handle(any, 'text');
new SocketProtocol(provider).handle(any, 'text');

declare const stranger: Bun.ServerWebSocket<SocketData<Level>>;
// @ts-expect-error handlers read the user in ctx.state
protocol.handle(stranger, 'text');
declare const ws: Bun.ServerWebSocket<SocketData<User>>;
// @ts-expect-error the message is missing
protocol.handle(ws);
