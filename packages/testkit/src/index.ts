// Servers and processes
export { freePort } from './free-port.ts';
export { startRedis } from './redis-server.ts';
export { spawnBun } from './processes.ts';
export { answerRequests, report } from './child-side.ts';

// Clients
export { connectClient } from './test-client.ts';

// Waiting
export { until } from './until.ts';

// Errors
export { RedisReplyError } from './resp.ts';
export { RedisStartError } from './redis-process.ts';
export { TimeoutError } from './within.ts';

export type { Message } from './inbox.ts';
export type { Exit } from './owned-process.ts';
export type { BunProcess, SpawnOptions } from './processes.ts';
export type { RedisOptions, RedisServer } from './redis-server.ts';
export type { ClientOptions, Closed, TestClient } from './test-client.ts';
export type { UntilOptions } from './until.ts';
