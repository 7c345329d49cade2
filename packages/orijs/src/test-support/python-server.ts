import { Application, SocketRouter } from '@orijs/core';
import { InProcWsProvider } from '@orijs/websocket';
import { SocketError, SocketMessage } from '@orijs/websocket/protocol';
import { RecordingLogger, until } from '@orijs/testkit';
import { z } from 'zod';

/** What a client of the tests sends as credentials: they say what the server does with the connection. */
const Credentials = z.object({
	user: z.string(),
	/** How long they are valid. */
	expiresInMs: z.number().optional(),
	/** What `authenticate` subscribes to. */
	rooms: z.array(z.string()).default([]),
	/** The same, with `past: false`. */
	futures: z.array(z.string()).default([]),
	/** Subscribes to the topics that the client answers with, when the connection has opened. */
	asks: z.boolean().default(false),
	/** A code to refuse them with. */
	refusal: z.string().optional(),
	/** Whether they can't be checked. */
	isUncheckable: z.boolean().default(false),
	/** From the client: a date. */
	at: z.date().optional(),
});

const bytes = z.instanceof(Uint8Array);
const nothing = z.null();
const topic = z.string();
const Why = { topic, code: z.string(), message: z.string() };

const Said = SocketMessage.define({ name: 'said', data: z.object({ text: z.string() }) });
const Stored = SocketMessage.define({ name: 'stored', data: z.object({ at: z.date(), scans: z.array(bytes) }) });
const Ask = SocketMessage.define({
	name: 'ask',
	data: z.object({ at: z.date() }),
	reply: z.object({ topics: z.array(topic), at: z.date() }),
});

const Echo = SocketMessage.define({
	name: 'echo',
	data: z.object({ at: z.date(), scan: bytes, text: z.string() }),
	reply: z.object({ at: z.date(), scans: z.array(bytes), raw: z.instanceof(ArrayBuffer) }),
});
const Say = SocketMessage.define({
	name: 'say',
	data: z.object({ topic, texts: z.array(z.string()) }),
	reply: nothing,
});
const Store = SocketMessage.define({
	name: 'store',
	data: z.object({ topic, at: z.date(), scan: bytes }),
	reply: nothing,
});
/** Text, or bytes, without a schema: to the topic, or to this client. */
const Raw = SocketMessage.define({
	name: 'raw',
	data: z.object({ topic: topic.optional(), payload: z.union([z.string(), bytes]) }),
	reply: nothing,
});
const AskMe = SocketMessage.define({ name: 'ask-me', data: z.object({ name: z.string() }), reply: z.unknown() });
const Fail = SocketMessage.define({ name: 'fail', data: nothing, reply: nothing });
/** The server subscribes a user, unsubscribes them, and does both in turn. */
const Add = SocketMessage.define({ name: 'add', data: z.object({ user: z.string(), topic }), reply: nothing });
const Remove = SocketMessage.define({ name: 'remove', data: z.object({ user: z.string(), ...Why }), reply: nothing });
const Flicker = SocketMessage.define({ name: 'flicker', data: z.object({ topic, times: z.number() }), reply: nothing });
/** The server disconnects a user. */
const Disconnect = SocketMessage.define({
	name: 'disconnect',
	data: z.object({ user: z.string(), code: z.string(), message: z.string(), reconnect: z.boolean() }),
	reply: z.number(),
});
/** Is answered once a subscription to a topic `held:*` is pending. */
const UntilHeld = SocketMessage.define({ name: 'until-held', data: z.object({ topic }), reply: nothing });
/** Allows it. */
const Release = SocketMessage.define({ name: 'release', data: z.object({ topic }), reply: nothing });

/** A server for the client in Python: it does what the client's credentials and messages say. */
export async function startServer(): Promise<{ url: string; stop: () => Promise<void> }> {
	const provider = new InProcWsProvider({
		history: { 'room:*': { size: 500, ttlMs: 60_000 } },
		presence: { 'open:here:*': { leaveDelayMs: 0 }, 'open:counted:*': { events: 'count' } },
	});
	const held = new Map<string, PromiseWithResolvers<boolean>>();

	const router = new SocketRouter<{ credentials: z.infer<typeof Credentials> }>()
		.authenticate(async (ctx) => {
			const credentials = Credentials.safeParse(ctx.auth);
			if (!credentials.success) return false;
			const { user, expiresInMs, rooms, futures, refusal, isUncheckable } = credentials.data;
			if (refusal !== undefined) throw new SocketError(refusal, 'Refused by the test');
			if (isUncheckable) throw new Error('The authentication service is away');
			ctx.state.credentials = credentials.data;
			ctx.userId = user;
			if (expiresInMs !== undefined) ctx.expiresAt = Date.now() + expiresInMs;
			for (const room of rooms) await ctx.subscribe(room);
			for (const room of futures) await ctx.subscribe(room, { past: false });
			return true;
		})
		.guard((ctx) => ctx.state.credentials?.user !== 'banned')
		.onOpen(async (ctx) => {
			const { asks, at = new Date() } = ctx.state.credentials;
			if (!asks) return;
			const answer = await ctx.request(Ask, { at });
			if (answer.at.getTime() !== at.getTime()) throw new Error('The date has changed on its way');
			for (const chosen of answer.topics) await ctx.subscribe(chosen);
		})
		.on(Echo, ({ data: { at, scan } }) => ({ at, scans: [scan, new Uint8Array(0)], raw: new ArrayBuffer(2) }))
		.on(Say, async (ctx) => {
			for (const text of ctx.data.texts) await ctx.emit(Said, ctx.data.topic, { text });
			return null;
		})
		.on(Store, async (ctx) => {
			await ctx.emit(Stored, ctx.data.topic, { at: ctx.data.at, scans: [ctx.data.scan] });
			return null;
		})
		.on(Raw, async (ctx) => {
			if (ctx.data.topic === undefined) ctx.ws.send(ctx.data.payload);
			else await ctx.publish(ctx.data.topic, ctx.data.payload);
			return null;
		})
		.on(AskMe, async (ctx) => {
			const Question = SocketMessage.define({ name: ctx.data.name, data: z.null(), reply: z.unknown() });
			try {
				return await ctx.request(Question, null);
			} catch (error) {
				return { code: (error as { code?: string }).code };
			}
		})
		.on(Fail, () => {
			throw new SocketError('teapot', 'Short and stout');
		})
		.on(Add, async (ctx) => {
			for (const socketId of socketsOf(ctx.data.user)) await provider.subscribe(socketId, ctx.data.topic);
			return null;
		})
		.on(Remove, async (ctx) => {
			const { user, topic: room, code, message } = ctx.data;
			for (const socketId of socketsOf(user)) await provider.unsubscribe(socketId, room, { code, message });
			return null;
		})
		.on(
			Disconnect,
			async ({ data: { user, ...why } }) => (await provider.cluster.disconnect({ userId: user }, why)).sockets,
		)
		.on(Flicker, async (ctx) => {
			const { topic: room, times } = ctx.data;
			for (let i = 0; i < times; i++) {
				await ctx.subscribe(room);
				await ctx.emit(Said, room, { text: `in ${i}` });
				await ctx.unsubscribe(room, { code: 'flicker', message: `out ${i}` });
				await ctx.emit(Said, room, { text: `out ${i}` });
			}
			return null;
		})
		.on(UntilHeld, async (ctx) => {
			await until(() => held.has(ctx.data.topic), { what: `a client has asked for ${ctx.data.topic}` });
			return null;
		})
		.on(Release, (ctx) => {
			held.get(ctx.data.topic)?.resolve(true);
			held.delete(ctx.data.topic);
			return null;
		});

	const app = new Application({ signals: false, logger: new RecordingLogger() })
		.websocket(provider, {
			limits: { messagesPerSecond: 1_000, connections: 1_000 },
			presence: { schema: z.object({ status: z.string().optional(), text: z.string().optional() }) },
			authorize: {
				subscribe(_, name) {
					if (name.startsWith('held:')) return holdBack(name);
					if (name.startsWith('paid:')) return { allowed: false, code: 'no_ticket', message: 'Buy a ticket first' };
					return name.startsWith('room:open') || name.startsWith('open:');
				},
			},
		})
		.socketRouter(router);
	const server = await app.listen(0);
	return { url: `ws://127.0.0.1:${server.port}/ws`, stop: () => app.stop({ graceMs: 0 }) };

	function holdBack(name: string): Promise<boolean> {
		const decision = Promise.withResolvers<boolean>();
		held.set(name, decision);
		return decision.promise;
	}

	function socketsOf(user: string): string[] {
		return [...provider.getConnections()].filter(({ data }) => data.userId === user).map(({ data }) => data.socketId);
	}
}
