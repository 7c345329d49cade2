// Provider
export { createRedisWsProvider, RedisWsProvider } from './redis-ws-provider.ts';
export type { RedisWsProviderOptions } from './redis-ws-provider.ts';
export type { RedisClusterConnection, RedisConnection } from './create-bus.ts';
export type { ClusterNode } from './cluster/cluster-node.ts';
export type { ClusterOptionsFunction } from './cluster/cluster-options.ts';
export type { ConnectionFunction } from './server/connection-function.ts';

// Errors
export {
	ClusterDownError,
	ClusterUnsupportedError,
	ConnectionFunctionError,
	HistoryUnreadableError,
	HistoryUnsupportedError,
	InvalidRedisOptionError,
	RedisConnectError,
	RedisConnectionLostError,
	RedisReplicaError,
} from './errors.ts';
