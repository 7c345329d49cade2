/** Runs this system as its users would set it up: an `Application`, in one process or over Redis. */
import { Application, type AppSocket } from '@orijs/core';
import { InProcWsProvider, type WebSocketProvider } from '@orijs/websocket';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { chat } from './chat.ts';
import { UNREACHABLE_LIMITS } from './limits.ts';
import { portOf } from './raw-server.ts';
import { serve } from './serve.ts';
import type { SubjectSettings } from './subject.ts';
import { topicsOf } from './client-url.ts';

await serve(async ({ redisPort, onHandOff, compresses = false, hasBothKinds = false }) => {
	const provider = redisPort === undefined ? new InProcWsProvider() : overRedis(redisPort, onHandOff);
	const sockets: AppSocket<{ topics: string[] }>[] = [];
	let ready = 0;
	const app = new Application()
		.websocket(provider, {
			upgrade: (req) => ({ topics: topicsOf(req.url) }),
			limits: UNREACHABLE_LIMITS,
			perMessageDeflate: compresses && { thresholdBytes: 0 },
		})
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
		compresses,
		hasBothKinds,
		readyClients: () => ready,
		publish: (topic, payload) => app.socket.publish(topic, payload),
		subscribe: (client, topic) => sockets[client]?.subscribe(topic),
		unsubscribe: (client, topic) => sockets[client]?.unsubscribe(topic),
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
