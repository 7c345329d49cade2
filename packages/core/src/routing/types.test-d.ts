// Checked by the compiler only; nothing here runs.

import { SocketMessage } from '@orijs/websocket';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import {
	Application,
	type AppSocket,
	type ConnectionGuard,
	type GuardContext,
	type MessageContext,
	type MessageGuard,
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

// A handler gets what the schema made and returns what the schema of the reply takes, at once or later.
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
// @ts-expect-error it has a reply, so something has to be returned
router.on(Total, () => {});
// @ts-expect-error it has a reply, so something has to be returned
router.on(Total, async () => {});
// @ts-expect-error there is no such data
router.on(Total, ({ data }) => ({ total: data.price }));
// @ts-expect-error prices are numbers by then
router.on(Total, ({ data }) => ({ total: data.prices[0]?.length ?? 0 }));

// Without a reply it returns nothing.
router.on(Note, ({ data }) => same<typeof data, string>(true));
router.on(Note, async () => {});
// @ts-expect-error nobody would get it
router.on(Note, () => 'thanks');
// @ts-expect-error nobody would get it
router.on(Note, async () => 'thanks');

// The same with other libraries.
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
	// @ts-expect-error the reply is text; its schema makes the number
	() => 7,
);

// What is emitted, sent and asked is what the schema takes.
router.on(Note, async (ctx) => {
	same<ReturnType<typeof ctx.subscribe>, Promise<void>>(true);
	await ctx.emit(Total, 'room', { prices: ['1'] });
	await ctx.send(Total, { prices: ['1'], note: 'x' });
	await ctx.publish('room', 'text');
	const answer = await ctx.request(Total, { prices: [] }, { timeoutMs: 100 });
	same<typeof answer, { total: number; currency: string }>(true);
	// @ts-expect-error prices come as text
	await ctx.emit(Total, 'room', { prices: [1] });
	// @ts-expect-error prices are missing
	await ctx.send(Total, {});
	// @ts-expect-error a note is text
	await ctx.request(Total, { prices: [], note: 7 });
	// @ts-expect-error it has no reply
	await ctx.request(Note, 'x');
	// @ts-expect-error an object has to be made a string first
	await ctx.publish('room', { a: 1 });
	// @ts-expect-error it is what it is
	ctx.data = 'y';
});
const app = new Application().websocket();
void app.socket.emit(Note, 'room', 'x');
void app.socket
	.request('id', Total, { prices: ['1'] })
	.then((answer) => same<typeof answer, { total: number; currency: string }>(true));
// @ts-expect-error a note is text
void app.socket.emit(Note, 'room', 7);
// @ts-expect-error it has no reply
void app.socket.request('id', Note, 'x');
// @ts-expect-error there is no such option
void app.socket.request('id', Total, { prices: [] }, { timeout: 100 });
// @ts-expect-error a name alone is no message
void app.socket.emit('note', 'room', 'x');

// Guards find out the state bit by bit; handlers have it whole.
router.guard((ctx) => {
	same<typeof ctx.auth, unknown>(true);
	same<typeof ctx.headers, Headers>(true);
	same<typeof ctx.cookies, Bun.CookieMap>(true);
	same<typeof ctx.state.user, { readonly name: string } | null | undefined>(true);
	// @ts-expect-error it may not be set yet
	ctx.state.visits.toFixed();
	ctx.state.user = { name: 'Ada' };
	ctx.state.visits = 0;
	ctx.state.tenant = undefined;
	ctx.state.user = null;
	// @ts-expect-error visits are a number
	ctx.state.visits = 'many';
	// @ts-expect-error there is no such state
	ctx.state.role = 'admin';
	// @ts-expect-error what the client shows is not to be trusted
	void ctx.auth.token;
	return ctx.state.user !== null;
});
router.guard(async () => true);
router.on(Note, ({ state }) => {
	same<typeof state.user, { readonly name: string }>(true);
	same<typeof state.tenant, string | undefined>(true);
	state.visits++;
	// @ts-expect-error only guards find out who it is
	state.user = { name: 'Eve' };
});
// @ts-expect-error a guard has to decide
router.guard(async () => {});
// @ts-expect-error only true lets in
router.guard(({ state }) => state.user);
// @ts-expect-error only true lets in
router.guard(({ auth }) => auth);
// @ts-expect-error a guard is a function
router.guard(true);
void (((ctx: GuardContext<State>) => ctx.state.visits === 0) satisfies ConnectionGuard<State>);
// @ts-expect-error that is another state
router.guard((ctx: GuardContext<{ other: string }>) => ctx.state.other === '');

// Without a state there is nothing to find in it.
new SocketRouter().on(Note, ({ state }) => {
	same<typeof state, object>(true);
	// @ts-expect-error nothing is known of it
	void state.user;
});
// @ts-expect-error the state is an object
new SocketRouter<string>();

// The guards of a message know its data and the state.
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
// @ts-expect-error a guard has to decide
router.on(Note, () => {}, { guards: [() => {}] });
// @ts-expect-error guards are a list
router.on(Note, () => {}, { guards: isKnown });
// @ts-expect-error there is no such option
router.on(Note, () => {}, { guard: [isKnown] });
// @ts-expect-error a name alone is no message
router.on('note', () => {});
