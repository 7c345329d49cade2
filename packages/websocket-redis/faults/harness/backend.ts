import { type RedisServer, startRedis } from '@orijs/testkit';
import type { NodeConnection } from '../node/protocol.ts';

/** The Redis that the nodes of a run connect to. */
export interface Backend {
	/** A node's connection, unless it goes through a proxy. */
	readonly connection: NodeConnection;
	/** The target of a node's proxy, if the backend is one server. */
	readonly port?: number;
	stop(): Promise<void>;
}

export interface SingleRedis extends Backend {
	readonly redis: RedisServer;
	readonly port: number;
}

/** Returns a function that starts a single Redis server with additional arguments. */
export function oneRedis(...args: readonly string[]): () => Promise<SingleRedis> {
	return async () => {
		const redis = await startRedis({ args });
		return { redis, connection: { host: redis.host, port: redis.port }, port: redis.port, stop: () => redis.stop() };
	};
}
