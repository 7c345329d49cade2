// Provider
export { createRedisWsProvider, RedisWsProvider } from './redis-ws-provider.ts';
export type { RedisWsProviderOptions } from './redis-ws-provider.ts';
export type { RedisClusterConnection, RedisConnection } from './create-bus.ts';

// Errors
export {
	ClusterDownError,
	ClusterUnsupportedError,
	HistoryUnreadableError,
	HistoryUnsupportedError,
	InvalidRedisOptionError,
	RedisConnectError,
	RedisConnectionLostError,
	RedisReplicaError,
} from './errors.ts';
