// Provider
export { createRedisWsProvider, RedisWsProvider } from './redis-ws-provider.ts';
export type { RedisWsProviderOptions } from './redis-ws-provider.ts';
export type { RedisConnection } from './redis-client.ts';

// Errors
export { InvalidRedisOptionError, RedisConnectError, RedisConnectionLostError, RedisReplicaError } from './errors.ts';
