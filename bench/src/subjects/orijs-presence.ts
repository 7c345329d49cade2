/** Runs this system over Redis, with the presence of all topics. */
import { Application, type AppSocket } from '@orijs/core';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { UNREACHABLE_LIMITS } from './limits.ts';
import { INFO, userOf } from './presence-member.ts';
import { portOf } from './raw-server.ts';
import { serve } from './serve.ts';

await serve(async ({ redisPort = 6379 }) => {
	const provider = new RedisWsProvider({
		connection: { port: redisPort },
		// As the other subjects: who leaves is gone at once, and changes always say who it is.
		presence: { '*': { leaveDelayMs: 0, membersUpTo: 10_000 } },
	});
	const { presence, socketPresence } = provider;
	const sockets: AppSocket[] = [];
	let upgrades = 0;
	const app = new Application()
		.websocket(provider, {
			upgrade(_req, response) {
				response.userId = userOf(upgrades++);
				return {};
			},
			presence: { info: () => INFO },
			limits: UNREACHABLE_LIMITS,
		})
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const server = await app.listen({ port: 0, hostname: '127.0.0.1' });
	return {
		port: portOf(server),
		path: '/ws',
		readyClients: () => sockets.length,
		publish: (topic, payload) => app.socket.publish(topic, payload),
		subscribe: (client, topic) => sockets[client]?.subscribe(topic),
		unsubscribe: (client, topic) => sockets[client]?.unsubscribe(topic),
		presence: {
			join: (client, topic) => sockets[client]?.subscribe(topic),
			leave: (client, topic) => sockets[client]?.unsubscribe(topic),
			watch: (client, topic) => socketPresence.watch(sockets[client]?.data.socketId ?? '', topic, () => {}),
			count: (topic) => presence.count(topic),
		},
	};
});
