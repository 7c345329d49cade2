import { type RedisServer, startRedis } from '@orijs/testkit';
import type { NodeConnection } from '../node/protocol.ts';

/** The Redis that the nodes of a run connect to. */
export interface Backend {
	/** A node's connection, unless it goes through a proxy. */
	readonly connection: NodeConnection;
	/** The target of a node's proxy, if the backend is one server. */
	readonly port?: number;
	/** The ports of the servers, if there are several: each node can have a proxy for each. */
	readonly ports?: readonly number[];
	stop(): Promise<void>;
}

/** @param env the environment of the servers, besides this process's */
export type StartBackend<B extends Backend> = (env: Readonly<Record<string, string>>) => Promise<B>;

export interface SingleRedis extends Backend {
	readonly redis: RedisServer;
	readonly port: number;
}

/** Returns a function that starts a single Redis server with additional arguments. */
export function oneRedis(...args: readonly string[]): StartBackend<SingleRedis> {
	return async (env) => {
		const redis = await startRedis({ args, env });
		return { redis, connection: { host: redis.host, port: redis.port }, port: redis.port, stop: () => redis.stop() };
	};
}
