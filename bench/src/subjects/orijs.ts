/** This system as its users set it up: an `Application`, in one process or as a node on Redis. */
import { Application, type AppSocket, type Limits } from '@orijs/core';
import { InProcWsProvider, type WebSocketProvider } from '@orijs/websocket';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { chat } from './chat.ts';
import { portOf } from './raw-server.ts';
import { serve } from './serve.ts';
import type { SubjectSettings } from './subject.ts';
import { topicsOf } from './client-url.ts';

/** All limits are on, but out of reach; Bun's own limit for what waits is 16 MiB. */
const AS_FAST_AS_IT_GOES: Limits = {
	messagesPerSecond: 1e9,
	bytesPerSecond: 1e12,
	queuedBytes: 8 * 1024 * 1024,
};

await serve(async ({ redisPort, onHandOff }) => {
	const provider = redisPort === undefined ? new InProcWsProvider() : overRedis(redisPort, onHandOff);
	const sockets: AppSocket<{ topics: string[] }>[] = [];
	let ready = 0;
	const app = new Application()
		.websocket(provider, { upgrade: (req) => ({ topics: topicsOf(req.url) }), limits: AS_FAST_AS_IT_GOES })
		.onWebSocket({
			async open(ws) {
				sockets.push(ws);
				await Promise.all(ws.data.data.topics.map((topic) => ws.subscribe(topic)));
				ready++;
			},
		})
		.socketRouter(chat);
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

function overRedis(port: number, onHandOff: SubjectSettings['onHandOff']): WebSocketProvider {
	const provider = new RedisWsProvider({ connection: { port } });
	if (onHandOff === undefined) return provider;
	const setServer = provider.setServer.bind(provider);
	provider.setServer = (server) =>
		setServer({
			publish(topic, payload) {
				onHandOff(payload as string);
				return server.publish(topic, payload);
			},
		});
	return provider;
}
