// Provider
export { createRedisWsProvider, RedisWsProvider } from './redis-ws-provider.ts';
export type { RedisWsProviderOptions } from './redis-ws-provider.ts';
export type { RedisClusterConnection, RedisConnection } from './create-bus.ts';
export type { RedisClusterNode } from './cluster/cluster-node.ts';
export type { RedisClusterOptionsFunction } from './cluster/cluster-options.ts';
export type { RedisConnectionFunction } from './server/connection-function.ts';

// Errors
export {
	ClusterDownError,
	ClusterUnsupportedError,
	ConnectionFunctionError,
	HistoryUnreadableError,
	HistoryUnsupportedError,
	InvalidRedisOptionError,
	NoRedisClusterError,
	PresenceUnsupportedError,
	RedisClusterNodeError,
	RedisConnectError,
	RedisConnectionLostError,
	RedisReplicaError,
} from './errors.ts';
