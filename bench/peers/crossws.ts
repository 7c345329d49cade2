/** Runs crossws as its users would set it up, with its Bun adapter and its Redis sync driver. */
import type { Peer } from 'crossws';
import crossws from 'crossws/adapters/bun';
import { redis, type RedisClientLike, type SyncAdapter } from 'crossws/sync';
import { Redis } from 'ioredis';
import { portOf } from '../src/subjects/raw-server.ts';
import { serve } from '../src/subjects/serve.ts';
import { topicsOf } from '../src/subjects/client-url.ts';

await serve(async ({ redisPort }) => {
	const peers: Peer[] = [];
	let ready = 0;
	const nodes = redisPort === undefined ? undefined : overRedis(redisPort);
	const ws = crossws({
		hooks: {
			open(peer) {
				peers.push(peer);
				for (const topic of topicsOf(peer.request.url)) peer.subscribe(topic);
				ready++;
			},
		},
		// Disables the heartbeat of crossws, which the clients would have to answer.
		idleTimeout: 0,
		...(nodes && { sync: nodes.sync }),
	});
	const server = Bun.serve({
		port: 0,
		hostname: '127.0.0.1',
		websocket: ws.websocket,
		fetch: (req, server) => ws.handleUpgrade(req, server),
	});
	await nodes?.subscribed();
	return {
		port: portOf(server),
		path: '/',
		readyClients: () => ready,
		publish: (topic, payload) => ws.publish(topic, payload),
		subscribe: (client, topic) => peers[client]?.subscribe(topic),
		unsubscribe: (client, topic) => peers[client]?.unsubscribe(topic),
	};
});

/**
 * Connects crossws to Redis. It uses one channel for all topics, so every node receives every message. `subscribed`
 * resolves once messages reach this node.
 */
function overRedis(port: number): { readonly sync: SyncAdapter; subscribed(): Promise<unknown> } {
	const client = new Redis({ port }) as unknown as RedisClientLike;
	const connect = redis({ client, channel: 'crossws' });
	let subscription: Promise<unknown> = Promise.resolve();
	return {
		sync(context) {
			const driver = connect(context);
			return { ...driver, subscribe: (deliver) => (subscription = Promise.resolve(driver.subscribe(deliver))) };
		},
		subscribed: () => subscription,
	};
}
