// Checked by the compiler only; nothing here runs.

import { type Presence, SocketMessage } from '@orijs/websocket';
import { z } from 'zod';
import {
	Application,
	type AppSocket,
	type PresenceInfoContext,
	SocketRouter,
	type WebSocketOptions,
} from '../index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface State {
	user: { readonly name: string };
}
interface User {
	readonly name: string;
}
declare const user: User;
const Note = SocketMessage.define({ name: 'note', data: z.string() });
const router = new SocketRouter<State>();

// The builder methods chain, and keep the type of the connection's data.
new SocketRouter<State>()
	.guard(() => true)
	.on(Note, ({ state }) => same<typeof state, State>(true))
	.guard((ctx) => ctx.state.user !== null);
new Application()
	.websocket({ upgrade: () => user })
	.socketRouter(router)
	.socketRouter(new SocketRouter())
	.routes({ '/': new Response() })
	.onWebSocket({
		open(ws) {
			same<typeof ws.data.data, User>(true);
		},
	})
	.socketRouter(new SocketRouter<{ other: string }>());
// @ts-expect-error a router must be an instance
new Application().websocket().socketRouter(SocketRouter);
// @ts-expect-error an array is not a router
new Application().websocket().socketRouter([router]);

// Options.
new Application().websocket({ limits: { messagesPerSecond: 10, connections: Infinity } });
// @ts-expect-error there is no such limit
new Application().websocket({ limits: { messagePerSecond: 10 } });
// @ts-expect-error a limit is a number
new Application().websocket({ limits: { messagesPerSecond: '10' } });
// @ts-expect-error a limit is a number
new Application().websocket({ limits: { guardTimeoutMs: null } });
new Application().websocket({ allowedOrigins: ['https://app.example.com', '*'] as const, trustedProxies: [] });
// @ts-expect-error origins are an array
new Application().websocket({ allowedOrigins: 'https://app.example.com' });
// @ts-expect-error an origin is a string
new Application().websocket({ allowedOrigins: [/example/] });
// @ts-expect-error an address is a string
new Application().websocket({ trustedProxies: [10] });
// @ts-expect-error slowReaders is close or drop
new Application().websocket({ slowReaders: 'wait' });
// @ts-expect-error Bun's compressors are not offered: one for each connection takes too much memory
new Application().websocket({ perMessageDeflate: { compress: 'dedicated' } });

// authorize.subscribe() receives the socket with its data; it declares the type of the state itself.
new Application().websocket({
	upgrade: () => user,
	authorize: {
		subscribe(ws, topic, state: State) {
			same<typeof ws.data.data, User>(true);
			same<typeof topic, string>(true);
			return state.user.name === topic;
		},
	},
});
new Application().websocket({ authorize: { subscribe: async (_, topic) => topic.startsWith('public:') } });
// @ts-expect-error it must return a boolean
new Application().websocket({ authorize: { subscribe() {} } });
// @ts-expect-error a string is not a boolean
new Application().websocket({ authorize: { subscribe: () => 'yes' } });
// @ts-expect-error there is no such check
new Application().websocket({ authorize: { publish: () => true } });
// @ts-expect-error authorize is an object
new Application().websocket({ authorize: () => true });
// @ts-expect-error a topic is a string
new Application().websocket({ authorize: { subscribe: (_: AppSocket, topic: number) => topic > 0 } });
void ({
	authorize: {
		subscribe(ws) {
			// @ts-expect-error a user has no such property
			return ws.data.data.age > 17;
		},
	},
} satisfies WebSocketOptions<User>);

// presence.info() receives the connection with its data; it declares the type of the state itself.
new Application().websocket({
	upgrade: () => user,
	presence: {
		info(ctx: PresenceInfoContext<State, User>) {
			same<typeof ctx.ws.data.data, User>(true);
			same<typeof ctx.topic, string>(true);
			same<typeof ctx.userId, string | undefined>(true);
			same<typeof ctx.state, State>(true);
			return { name: ctx.state.user.name };
		},
		schema: z.object({ name: z.string(), status: z.string().optional() }),
		authorize(ws, topic, state: State) {
			same<typeof ws.data.data, User>(true);
			return state.user.name === topic;
		},
		infoBytes: 100,
		updatesPerSecond: 0.5,
	},
});
new Application().websocket({ presence: { info: (ctx) => ({ name: ctx.state.user.name }) } });
new Application().websocket({
	presence: { info: ({ state }: PresenceInfoContext<State>) => ({ name: state.user.name }) },
});
new Application().websocket({
	presence: { info: (ctx) => (ctx.userId === undefined ? undefined : { id: ctx.userId }) },
});
new Application().websocket({ presence: { authorize: async (ws) => ws.data.userId === 'ada' } });
void ({
	presence: {
		// @ts-expect-error a user has no such property
		info: ({ ws }) => ({ age: ws.data.data.age }),
	},
} satisfies WebSocketOptions<User>);
// @ts-expect-error info must answer at once
new Application().websocket({ presence: { info: async () => ({ name: 'Ada' }) } });
// @ts-expect-error info is an object
new Application().websocket({ presence: { info: () => 'Ada' } });
void ({
	presence: {
		// @ts-expect-error the connection's state has no such property
		info: (ctx: PresenceInfoContext<State, User>) => ({ x: ctx.state.other }),
	},
} satisfies WebSocketOptions<User>);
// @ts-expect-error it must return a boolean
new Application().websocket({ presence: { authorize: () => 'yes' } });
// @ts-expect-error the info of a schema is an object
new Application().websocket({ presence: { schema: z.string() } });
// @ts-expect-error which topics keep presence is an option of the provider
new Application().websocket({ presence: { 'room:*': { leaveDelayMs: 5_000 } } });
same<Application['presence'], Presence>(true);
router.onSubscribe(async (ctx, topic) => {
	await ctx.updatePresence(topic, { name: ctx.state.user.name, status: undefined });
	// @ts-expect-error info is an object
	await ctx.updatePresence(topic, 'away');
});
