import { Application, type AppSocket, SocketRouter } from '@orijs/core';
import {
	type BusHandlers,
	type HistoryRules,
	type HistoryStore,
	type Logger,
	type PresenceRules,
	WsProvider,
} from '@orijs/websocket';
import { isTopic, SocketError } from '@orijs/websocket/protocol';
import type { MemoryBackend } from '@orijs/websocket/testing';
import { z } from 'zod';
import { Add, Anything, Checked, Delivered, Fail, Maybe, Parcel, Say, Wait } from './messages.ts';
import type { Handled, ServerOptions } from './test-server.ts';

/** The state that survives restarts of the application. */
export interface SharedState {
	readonly backend: MemoryBackend;
	/** The origins of pages that may connect. */
	readonly origins: readonly string[];
	readonly handled: Handled[];
	/** The credentials that the guard has received. */
	readonly credentials: unknown[];
	readonly forbidden: Set<string>;
	/** The topics that each client is subscribed to when it connects. */
	readonly chosen: Set<string>;
	/** The promise that the handler of `wait` messages awaits. */
	readonly gate: Promise<void>;
	isBackendBroken: boolean;
	isHistoryBroken: boolean;
	/** The only token that the guard accepts. */
	token: string | undefined;
}

export interface ApplicationServer {
	readonly port: number;
	readonly app: Application;
	readonly provider: WsProvider;
	readonly sockets: ReadonlySet<AppSocket>;
	interrupt(topics: readonly string[] | 'all', since: number): void;
	/** Sets whether the backend can be reached. */
	cutBackend(isCut: boolean): void;
}

/** The topics with history. */
export const HISTORY: HistoryRules = {
	'long:*': { size: 5_000, ttlMs: 60_000 },
	'short:*': { size: 5, ttlMs: 60_000 },
};

/** The topics whose presence is kept. In `crowd:*`, more than ten members are only counted. */
export const PRESENCE: PresenceRules = {
	'silent:*': { events: 'none' },
	'here:*': { leaveDelayMs: 0 },
	'stays:*': { leaveDelayMs: 60_000 },
	'counted:*': { leaveDelayMs: 0, events: 'count' },
	'crowd:*': { leaveDelayMs: 0, membersUpTo: 10 },
};

const Info = z.object({ name: z.string().optional(), status: z.string().max(20).optional() });

export const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Starts an application with typed messages on a free port. */
export async function startApplication(shared: SharedState, options: ServerOptions): Promise<ApplicationServer> {
	const {
		token,
		expiresInMs,
		handlingMs = 0,
		allowedOrigins = shared.origins,
		users,
		mayWatchAll,
		...limits
	} = options;
	const { backend, forbidden } = shared;
	const bus = backend.createBus();
	let handlers: BusHandlers | undefined;
	const { start, subscribe } = bus;
	bus.start = (given) => start.call(bus, (handlers = given));
	bus.subscribe = async (topics) => {
		await subscribe.call(bus, topics);
		if (shared.isBackendBroken && topics.some(isTopic)) throw new Error('the backend is broken');
	};
	const stored = bus.history as HistoryStore;
	const history: HistoryStore = {
		prepare: () => stored.prepare(),
		append: (...call) => stored.append(...call),
		read: async (topic, query, bounds) => {
			if (shared.isHistoryBroken && 'before' in query) throw new Error('the history is broken');
			return stored.read(topic, query, bounds);
		},
	};
	const sockets = new Set<AppSocket>();
	const router = routerOf(shared, handlingMs);
	if (limits.guardTimeoutMs !== undefined) router.guard(() => new Promise<boolean>(() => {}));
	else if (token !== undefined) {
		shared.token = token;
		router.authenticate((ctx) => {
			shared.credentials.push(ctx.auth);
			if (expiresInMs !== undefined) ctx.expiresAt = Date.now() + expiresInMs;
			if (ctx.auth === 'expired') throw new SocketError('token_expired', 'log in again');
			return ctx.auth === shared.token;
		});
	}
	if (users) router.authenticate((ctx) => !!(ctx.userId = String(ctx.auth)));
	const provider = new WsProvider({
		bus: { ...bus, history },
		logger: SILENT,
		graceMs: 0,
		history: HISTORY,
		presence: PRESENCE,
	});
	const app = new Application({ logger: SILENT, signals: false })
		.websocket(provider, {
			limits,
			allowedOrigins,
			authorize: { subscribe: (_, topic) => !forbidden.has(topic) },
			presence: {
				info: ({ userId }) => (userId === undefined ? undefined : { name: userId }),
				schema: Info,
				...(mayWatchAll && { authorize: (_, topic) => !forbidden.has(topic) }),
			},
		})
		.socketRouter(router)
		.onWebSocket({
			open: async (ws) => {
				sockets.add(ws);
				await Promise.all([...shared.chosen].map((topic) => ws.subscribe(topic)));
			},
			close: (ws) => void sockets.delete(ws),
		});
	const { port } = await app.listen({ port: 0, hostname: '127.0.0.1' });
	if (port === undefined) throw new Error('the application is not listening on a port');
	return {
		port,
		app,
		provider,
		sockets,
		cutBackend: (isCut) => (isCut ? backend.cut(bus) : backend.restore(bus)),
		interrupt: (topics, since) => handlers?.interrupted(topics, since, 'simulated'),
	};
}

function routerOf({ handled, gate }: SharedState, handlingMs: number): SocketRouter {
	const note = (type: string, data: unknown): void => void handled.push({ type, data, at: Date.now() });
	return new SocketRouter()
		.on(Say, async ({ data }) => {
			note('say', data);
			if (handlingMs > 0) await new Promise((resolve) => setTimeout(resolve, handlingMs));
		})
		.on(Add, ({ data }) => {
			note('add', data);
			return data.a + data.b;
		})
		.on(Fail, ({ data }) => {
			if (data.code === undefined) throw new Error('simulated');
			throw new SocketError(data.code, 'simulated');
		})
		.on(Wait, async ({ data }) => {
			note('wait', data);
			await gate;
			return data;
		})
		.on(Checked, ({ data }) => {
			note('checked', data);
			return data;
		})
		.on(Maybe, () => undefined)
		.on(Parcel, async (ctx) => {
			const { via, content } = ctx.data;
			if (via === 'request') return ctx.request(Delivered, content);
			if (via === 'message') await ctx.send(Delivered, content);
			else if (via !== 'reply') await ctx.emit(Delivered, via, content);
			return content;
		})
		.on(Anything, ({ data }) => {
			note('anything', data);
			return data;
		});
}
