// A server to be attacked: an ordinary application, with the default logger.

import { Application, SocketRouter } from '@orijs/core';
import { answerRequests } from '@orijs/testkit';
import { InProcWsProvider, type WebSocketProvider } from '@orijs/websocket';
import { SocketMessage } from '@orijs/websocket/protocol';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { z } from 'zod';
import { NEWS, NEWS_EVERY_MS, type Readings, type ServerRequest, type ServerSettings } from './protocol.ts';

/** How long a handler that does real work takes, in milliseconds. */
const WORK_MS = 5;

const failures: string[] = [];
for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
	process.on(event, (reason: unknown) => failures.push(`${event}: ${String(reason)}`));
}

const { limits, redisPort } = JSON.parse(process.env['ATTACK_SERVER'] ?? '{}') as ServerSettings;
const history = { 'log:*': { size: 1_000, ttlMs: 600_000 } };
const provider: WebSocketProvider =
	redisPort === undefined
		? new InProcWsProvider({ history })
		: new RedisWsProvider({ connection: { host: '127.0.0.1', port: redisPort }, history });

const Echo = SocketMessage.define({ name: 'echo', data: z.unknown(), reply: z.unknown() });
const Wait = SocketMessage.define({ name: 'wait', data: z.unknown() });
const Fail = SocketMessage.define({ name: 'fail', data: z.unknown(), reply: z.unknown() });
const Work = SocketMessage.define({ name: 'work', data: z.unknown() });
const Strict = SocketMessage.define({ name: 'strict', data: z.object({ n: z.number() }), reply: z.unknown() });
const Ask = SocketMessage.define({ name: 'ask', data: z.unknown() });
const Question = SocketMessage.define({ name: 'question', data: z.unknown(), reply: z.unknown() });

let release = Promise.withResolvers<void>();
const router = new SocketRouter()
	.on(Echo, (ctx) => ctx.data)
	.on(Wait, () => release.promise)
	.on(Strict, (ctx) => ctx.data.n)
	.on(Fail, (ctx) => {
		throw new Error(`can't do ${JSON.stringify(ctx.data)}`);
	})
	.on(Work, async (ctx) => {
		await Bun.sleep(WORK_MS);
		await ctx.subscribe('room:work');
		await ctx.ws.publish('room:work', 'done');
	})
	.on(Ask, async (ctx) => {
		await ctx.request(Question, 'still there?');
	});

const app = new Application({ signals: false })
	.websocket(provider, {
		upgrade: (req) => (req.url.endsWith('?hang') ? new Promise<never>(() => {}) : {}),
		authorize: { subscribe: (_, topic) => topic.startsWith('room:') || topic.startsWith('log:') },
		limits,
	})
	.onWebSocket({
		async message(ws, message) {
			await Bun.sleep(WORK_MS);
			await ws.publish('room:raw', message);
		},
	})
	.socketRouter(router);
const { port } = await app.listen({ port: 0, hostname: '127.0.0.1' });

let news = 0;
setInterval(() => void app.socket.publish(NEWS, String(++news)), NEWS_EVERY_MS);

answerRequests(async (request) => {
	const asked = request as ServerRequest;
	if (asked.do === 'settle') await collectGarbage();
	if (asked.do === 'release') {
		release.resolve();
		release = Promise.withResolvers();
	}
	if (asked.do === 'publish') {
		for (let i = 0; i < asked.count; i++) {
			void app.socket.publish(asked.topic, String(i).padEnd(asked.bytes, '.'));
			if (i % 50 === 0) await Bun.sleep(1);
		}
	}
	const { user, system } = process.cpuUsage();
	return {
		port: port as number,
		cpuMs: (user + system) / 1_000,
		rss: process.memoryUsage.rss(),
		connections: provider.getConnectionCount(),
		topics: provider.getTopicCount(),
		failures,
		refusals: app.refusals,
	} satisfies Readings;
});

/** Collects garbage until resident memory no longer falls. */
async function collectGarbage(): Promise<void> {
	let rss = Infinity;
	for (let i = 0; i < 10; i++) {
		Bun.gc(true);
		await Bun.sleep(100);
		const now = process.memoryUsage.rss();
		if (now > rss * 0.99) return;
		rss = now;
	}
}
