/** Runs this system over Redis, with history for all topics. */
import { Application, type AppSocket } from '@orijs/core';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { rewindOf, topicsOf } from './client-url.ts';
import { UNREACHABLE_LIMITS } from './limits.ts';
import { RETENTION } from './retention.ts';
import { portOf } from './raw-server.ts';
import { serve } from './serve.ts';

await serve(async ({ redisPort = 6379 }) => {
	const provider = new RedisWsProvider({ connection: { port: redisPort }, history: { '*': RETENTION } });
	const sockets: AppSocket<{ topics: string[]; rewind: number }>[] = [];
	let ready = 0;
	const app = new Application()
		.websocket(provider, {
			upgrade: ({ url }) => ({ topics: topicsOf(url), rewind: rewindOf(url) }),
			limits: UNREACHABLE_LIMITS,
		})
		.onWebSocket({
			async open(ws) {
				sockets.push(ws);
				const { socketId, data } = ws.data;
				for (const topic of data.topics) {
					if (data.rewind === 0) await ws.subscribe(topic);
					else await provider.resume(socketId, topic, { rewind: data.rewind });
				}
				ready++;
			},
		});
	const server = await app.listen({ port: 0, hostname: '127.0.0.1' });
	return {
		port: portOf(server),
		path: '/ws',
		readyClients: () => ready,
		publish: (topic, payload) => app.socket.publish(topic, payload),
		subscribe: (client, topic) => sockets[client]?.subscribe(topic),
		unsubscribe: (client, topic) => sockets[client]?.unsubscribe(topic),
	};
});
