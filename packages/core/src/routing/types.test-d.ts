// Checked by the compiler only; nothing here runs.

import { type Cluster, type ReauthorizeResult, SocketMessage } from '@orijs/websocket';
import type { ErrorCode, InferInput, InferOutput, RequestMessage } from '@orijs/websocket/protocol';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import {
	Application,
	type Authorize,
	type ConnectionContext,
	type AppSocket,
	type ConnectionGuard,
	type GuardContext,
	type MessageContext,
	type MessageGuard,
	type MessageMiddleware,
	SocketRouter,
} from '../index.ts';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_: Same<A, B>): void {}

interface State {
	readonly user: { readonly name: string };
	visits: number;
	tenant: string | undefined;
}

const Total = SocketMessage.define({
	name: 'total',
	data: z.object({ prices: z.array(z.string().transform(Number)), note: z.string().default('') }),
	reply: z.object({ total: z.number(), currency: z.string().default('EUR') }),
});
const Note = SocketMessage.define({ name: 'note', data: z.string() });

// A handler gets the schema's output and returns the reply schema's input, or a promise of it.
const router = new SocketRouter<State>();
router.on(Total, (ctx) => {
	same<typeof ctx.data, { prices: number[]; note: string }>(true);
	same<typeof ctx.state, State>(true);
	same<typeof ctx.correlationId, string | undefined>(true);
	same<typeof ctx.signal, AbortSignal>(true);
	same<typeof ctx.ws, AppSocket>(true);
	return { total: 7 };
});
router.on(Total, async () => ({ total: 7, currency: 'CHF' }));
router.on(Total, (): { total: number } | Promise<{ total: number }> => ({ total: 7 }));
// @ts-expect-error the total is a number
router.on(Total, () => ({ total: '7' }));
// @ts-expect-error the total is a number
router.on(Total, async () => ({ total: '7' }));
// @ts-expect-error the message has a reply, so the handler must return one
router.on(Total, () => {});
// @ts-expect-error the message has a reply, so the handler must return one
router.on(Total, async () => {});
// @ts-expect-error there is no such data
router.on(Total, ({ data }) => ({ total: data.price }));
// @ts-expect-error the schema has turned the prices into numbers
router.on(Total, ({ data }) => ({ total: data.prices[0]?.length ?? 0 }));

// Without a reply, a handler returns nothing.
router.on(Note, ({ data }) => same<typeof data, string>(true));
router.on(Note, async () => {});
// @ts-expect-error the message has no reply
router.on(Note, () => 'thanks');
// @ts-expect-error the message has no reply
router.on(Note, async () => 'thanks');

// Other schema libraries.
router.on(
	SocketMessage.define({
		name: 'v',
		data: v.object({ at: v.pipe(v.string(), v.transform(Number)), note: v.optional(v.string(), '') }),
		reply: v.pipe(v.string(), v.transform(Number)),
	}),
	({ data }) => {
		same<typeof data, { at: number; note: string }>(true);
		return '7';
	},
);
router.on(
	SocketMessage.define({
		name: 'a',
		data: type({ at: 'string.numeric.parse', note: "string = ''" }),
		reply: type('string'),
	}),
	({ data }) => {
		same<typeof data, { at: number; note: string }>(true);
		return '7';
	},
);
router.on(
	SocketMessage.define({ name: 'v', data: v.string(), reply: v.pipe(v.string(), v.transform(Number)) }),
	// @ts-expect-error the reply is text; its schema turns it into a number
	() => 7,
);

// emit(), send() and request() take the schema's input.
router.on(Note, async (ctx) => {
	same<ReturnType<typeof ctx.subscribe>, Promise<void>>(true);
	await ctx.emit(Total, 'room', { prices: ['1'] });
	await ctx.send(Total, { prices: ['1'], note: 'x' });
	await ctx.publish('room', 'text');
	const answer = await ctx.request(Total, { prices: [] }, { timeoutMs: 100 });
	same<typeof answer, { total: number; currency: string }>(true);
	await ctx.emit(Note, 'room', 'x', { except: 'self' });
	await ctx.publish('room', 'text', { except: ['self', ctx.socketId] });
	// @ts-expect-error sockets are named by their ids
	await ctx.emit(Note, 'room', 'x', { except: ctx.ws });
	// @ts-expect-error prices are passed as text
	await ctx.emit(Total, 'room', { prices: [1] });
	// @ts-expect-error prices are missing
	await ctx.send(Total, {});
	// @ts-expect-error a note is text
	await ctx.request(Total, { prices: [], note: 7 });
	// @ts-expect-error the message has no reply
	await ctx.request(Note, 'x');
	// @ts-expect-error a payload is a string or bytes
	await ctx.publish('room', { a: 1 });
	// @ts-expect-error data is read-only
	ctx.data = 'y';
});
const app = new Application().websocket();
void app.socket.emit(Note, 'room', 'x');
void app.socket
	.request('id', Total, { prices: ['1'] })
	.then((answer) => same<typeof answer, { total: number; currency: string }>(true));
void app.socket.send('id', Total, { prices: ['1'] });
void app.socket.send('id', new Uint8Array(1));
void app.socket.broadcast(Note, 'x');
void app.socket.broadcast('x');
// @ts-expect-error prices are passed as text
void app.socket.send('id', Total, { prices: [1] });
// @ts-expect-error a note is text
void app.socket.broadcast(Note, 7);
// @ts-expect-error data is required
void app.socket.send('id', Note);
// @ts-expect-error a name is not a message
void app.socket.broadcast('note', 'x');
// @ts-expect-error a note is text
void app.socket.emit(Note, 'room', 7);
// @ts-expect-error the message has no reply
void app.socket.request('id', Note, 'x');
// @ts-expect-error there is no such option
void app.socket.request('id', Total, { prices: [] }, { timeout: 100 });
// @ts-expect-error a name is not a message
void app.socket.emit('note', 'room', 'x');

// Guards fill the state step by step; handlers receive the complete state.
router.authenticate((ctx) => {
	same<typeof ctx.auth, unknown>(true);
	same<typeof ctx.state.user, { readonly name: string } | null | undefined>(true);
	same<typeof ctx.userId, string | undefined>(true);
	ctx.userId = 'ada';
	ctx.expiresAt = new Date();
	ctx.expiresAt = Date.now();
	// @ts-expect-error a user's id is a string
	ctx.userId = 7;
	// @ts-expect-error a time is a Date or a number
	ctx.expiresAt = '2030-01-01';
	// @ts-expect-error the client's data is not validated
	void ctx.auth.token;
	void ctx.subscribe('user:ada', { past: false });
	// @ts-expect-error guards subscribe on the server's behalf
	void ctx.subscribe('user:ada', { by: 'client' });
	return true;
});
router.guard((ctx) => {
	// @ts-expect-error only authenticate sees the credentials
	void ctx.auth;
	same<typeof ctx.headers, Headers>(true);
	same<typeof ctx.cookies, Bun.CookieMap>(true);
	same<typeof ctx.state.user, { readonly name: string } | null | undefined>(true);
	// @ts-expect-error it may be unset
	ctx.state.visits.toFixed();
	ctx.state.user = { name: 'Ada' };
	ctx.state.visits = 0;
	ctx.state.tenant = undefined;
	ctx.state.user = null;
	// @ts-expect-error visits are a number
	ctx.state.visits = 'many';
	// @ts-expect-error there is no such state
	ctx.state.role = 'admin';
	return ctx.state.user !== null;
});
router.guard(async () => true);
router.on(Note, ({ state }) => {
	same<typeof state.user, { readonly name: string }>(true);
	same<typeof state.tenant, string | undefined>(true);
	state.visits++;
	// @ts-expect-error the state's user is read-only for handlers
	state.user = { name: 'Eve' };
});
// @ts-expect-error a guard must return a boolean
router.guard(async () => {});
// @ts-expect-error a guard must return a boolean
router.guard(({ state }) => state.user);
// @ts-expect-error it must return a boolean
router.authenticate(({ auth }) => auth);
// @ts-expect-error it is a function
router.authenticate('token');
// @ts-expect-error a guard is a function
router.guard(true);
void (((ctx: GuardContext<State>) => ctx.state.visits === 0) satisfies ConnectionGuard<State>);
// @ts-expect-error the router has another state
router.guard((ctx: GuardContext<{ other: string }>) => ctx.state.other === '');

// The default state has no fields.
new SocketRouter().on(Note, ({ state }) => {
	same<typeof state, object>(true);
	// @ts-expect-error the state has no such field
	void state.user;
});
// @ts-expect-error the state is an object
new SocketRouter<string>();

// A message's guards receive its data and the connection's state.
router.on(Total, () => ({ total: 1 }), {
	guards: [
		(ctx) => {
			same<typeof ctx.data, { prices: number[]; note: string }>(true);
			same<typeof ctx.state, State>(true);
			return ctx.state.visits > 0;
		},
		async () => true,
	],
});
const isKnown: MessageGuard<State> = (ctx) => ctx.state.user.name !== '';
const isFrequent = (ctx: MessageContext<SocketMessage, State>): boolean => ctx.state.visits > 7;
router.on(Total, () => ({ total: 1 }), { guards: [isKnown, isFrequent] });
router.on(Note, () => {}, { guards: [isKnown, isFrequent] });
// @ts-expect-error a guard must return a boolean
router.on(Note, () => {}, { guards: [() => {}] });
// @ts-expect-error guards are an array
router.on(Note, () => {}, { guards: isKnown });
// @ts-expect-error there is no such option
router.on(Note, () => {}, { guard: [isKnown] });
// @ts-expect-error a name is not a message
router.on('note', () => {});

// Middleware, the guards of a router and the handler of unknown messages get data of any message.
router.use(async (ctx, next) => {
	same<typeof ctx.data, unknown>(true);
	same<typeof ctx.state, State>(true);
	same<ReturnType<typeof next>, Promise<unknown>>(true);
	// @ts-expect-error the data is not validated yet
	void ctx.data.text;
	return next();
});
router.use((ctx, next) => (ctx.state.visits > 7 ? 'cached' : next()));
const logging: MessageMiddleware<State> = (ctx, next) => {
	ctx.log.info('Received');
	return next();
};
router.use(logging);
// @ts-expect-error middleware is a function
router.use([logging]);
router.guardMessages((ctx) => {
	same<typeof ctx.data, unknown>(true);
	return ctx.state.visits > 0;
});
router.guardMessages(isKnown);
// @ts-expect-error a guard must return a boolean
router.guardMessages(() => {});
router.onUnknown((ctx) => {
	same<typeof ctx.data, unknown>(true);
	same<typeof ctx.state, State>(true);
	return { old: ctx.type };
});
router.onUnknown(async () => {});

// A listener can annotate the type of the state.
new Application().onEvent(({ type, topic, outcome, code, durationMs, ...event }) => {
	same<typeof type, string>(true);
	same<typeof topic, string | undefined>(true);
	same<typeof outcome, 'handled' | 'refused' | 'failed'>(true);
	same<typeof code, ErrorCode | undefined>(true);
	same<typeof durationMs, number>(true);
	same<typeof event.error, unknown>(true);
	const state: State = event.state;
	return state.user.name;
});
// @ts-expect-error a listener is a function
new Application().onEvent('log');

// Functions of an application's own can pass messages on.
function ask<T extends RequestMessage>(
	ctx: MessageContext,
	message: T,
	data: InferInput<T['data']>,
): Promise<InferOutput<T['reply']>> {
	void app.socket.request(ctx.socketId, message, data);
	return ctx.request(message, data);
}
void ask;

// Hooks read the state that the guards have set.
router
	.onOpen((ctx) => {
		same<typeof ctx.state, State>(true);
		same<typeof ctx.data, object>(true);
		same<typeof ctx.userId, string | undefined>(true);
		same<typeof ctx.topics, ReadonlySet<string>>(true);
		same<typeof ctx, ConnectionContext<State>>(true);
	})
	.onSubscribe(async (ctx, topic) => {
		same<typeof topic, string>(true);
		await ctx.subscribe('next', { past: false });
		await ctx.unsubscribe('next', { code: 'kicked', message: ctx.state.user.name });
		// @ts-expect-error who subscribes is not for the application to say
		await ctx.subscribe('next', { by: 'client' });
	})
	.onUnsubscribe((ctx, _topic, why) => {
		same<typeof why.by, 'server' | 'client' | 'closed'>(true);
		// @ts-expect-error there is no such state
		void ctx.state.nothing;
	})
	.onClose((_, { code, reason, topics }) => {
		same<typeof code, number>(true);
		same<typeof reason, string>(true);
		same<typeof topics, ReadonlySet<string>>(true);
	});

// authorize.subscribe answers with a boolean, or with more about it.
const authorize: Authorize = {
	subscribe: (_, topic, { user }: State) =>
		topic === 'own' || { allowed: user.name === topic, expiresAt: new Date(), code: 'banned', message: 'Banned' },
};
void authorize;
void ({ subscribe: async () => ({ allowed: false }) } satisfies Authorize);
// @ts-expect-error nothing says whether it is allowed
void ({ subscribe: () => ({ expiresAt: 1 }) } satisfies Authorize);
// @ts-expect-error a time is a Date or a number
void ({ subscribe: () => ({ allowed: true, expiresAt: '2030' }) } satisfies Authorize);

// Rights are asked about again for a connection or a user, with how many were asked about.
void new Application()
	.websocket()
	.reauthorize({ userId: 'ada' }, 'room')
	.then((reauthorized) => same<typeof reauthorized, ReauthorizeResult>(true));
void new Application().websocket().reauthorize('all', undefined, { timeoutMs: 1_000, except: ['an id'] });
// @ts-expect-error for whom
void new Application().websocket().reauthorize({});
// @ts-expect-error an option of another call
void new Application().websocket().reauthorize('all', 'room', { reconnect: false });

// The cluster of an application is that of its provider.
same<Application['cluster'], Cluster>(true);
void new Application().websocket().cluster.disconnect({ userId: 'ada' }, { code: 'banned', reconnect: false });
// @ts-expect-error clients come back, or they don't
void new Application().websocket().cluster.disconnect('all', { reconnect: 'later' });
