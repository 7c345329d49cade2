/** This system with history for all topics, as a node on Redis. */
import { Application, type AppSocket, type Limits } from '@orijs/core';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { rewindOf, topicsOf } from './client-url.ts';
import { KEPT } from './kept.ts';
import { portOf } from './raw-server.ts';
import { serve } from './serve.ts';

/** Bun's own limit for what waits is 16 MiB. */
const OUT_OF_REACH: Limits = { messagesPerSecond: 1e9, bytesPerSecond: 1e12, queuedBytes: 8 * 1024 * 1024 };

await serve(async ({ redisPort = 6379 }) => {
	const provider = new RedisWsProvider({ connection: { port: redisPort }, history: { '*': KEPT } });
	const sockets: AppSocket<{ topics: string[]; rewind: number }>[] = [];
	let ready = 0;
	const app = new Application()
		.websocket(provider, {
			upgrade: ({ url }) => ({ topics: topicsOf(url), rewind: rewindOf(url) }),
			limits: OUT_OF_REACH,
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
		join: (client, topic) => sockets[client]?.subscribe(topic),
		leave: (client, topic) => sockets[client]?.unsubscribe(topic),
	};
});
