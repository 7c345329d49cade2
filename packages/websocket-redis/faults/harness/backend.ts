import { type RedisServer, startRedis } from '@orijs/testkit';
import type { NodeConnection } from '../node/protocol.ts';

/** What the nodes of a run are connected to. */
export interface Backend {
	/** What a node connects with, unless it goes through a proxy. */
	readonly connection: NodeConnection;
	/** Where a node's proxy leads to, where there is one place. */
	readonly port?: number;
	stop(): Promise<void>;
}

export interface SingleRedis extends Backend {
	readonly redis: RedisServer;
	readonly port: number;
}

/** One Redis, with these more arguments. */
export function oneRedis(...args: readonly string[]): () => Promise<SingleRedis> {
	return async () => {
		const redis = await startRedis({ args });
		return { redis, connection: { host: redis.host, port: redis.port }, port: redis.port, stop: () => redis.stop() };
	};
}
