// Servers and processes
export { freePort } from './free-port.ts';
export { startRedis } from './redis-server.ts';
export { startRedisCluster } from './redis-cluster.ts';
export { startRedisSentinel } from './redis-sentinel.ts';
export { spawnBun, spawnNode } from './processes.ts';
export { answerRequests, report } from './child-side.ts';

// Proxies in front of a server
export { startCaddy } from './caddy.ts';
export { startNginx } from './nginx.ts';

// A browser
export { launchChromium } from './chromium.ts';
export { bringOnline, freezePage, hidePage, resumePage, showPage, takeOffline } from './page-conditions.ts';
export { collectErrors } from './page-errors.ts';
export { servePage } from './serve-page.ts';

// Network faults
export { type Identity, selfSigned } from './self-signed.ts';
export { startTcpProxy } from './tcp-proxy.ts';
export { hasSent } from './link-filter.ts';

// Clocks
export { fakeClock } from './fake-clock.ts';
export { findFaketime } from './find-faketime.ts';

// Other languages
export { findPython } from './find-python.ts';

// Clients
export { connectClient, connectSpeaker } from './test-client.ts';
export { HANDSHAKE, openRawWebSocket } from './raw-web-socket.ts';
export { frame, Opcode } from './websocket-frames.ts';

// Files
export { scratchDir } from './scratch-dir.ts';
export { editFile } from './edit-file.ts';

// Waiting
export { until } from './until.ts';

// Loggers
export { RecordingLogger } from './recording-logger.ts';
export type { LogLine } from './recording-logger.ts';

// Errors
export { ChromiumStartError } from './chromium-process.ts';
export { FrontEndStartError } from './front-end.ts';
export { RedisReplyError } from './resp.ts';
export { RedisStartError } from './redis-process.ts';
export { TimeoutError } from './within.ts';

export type { Chromium, ChromiumOptions, PageOptions } from './chromium.ts';
export type { FakeClock, FakeClockOptions } from './fake-clock.ts';
export type { ClusterNode } from './cluster-node.ts';
export type { FrontEnd } from './front-end.ts';
export type { Message } from './received-messages.ts';
export type { LinkFilter } from './link-filter.ts';
export type { Exit, ProcessState } from './owned-process.ts';
export type { PageErrors } from './page-errors.ts';
export type { Page } from 'playwright-core';
export type { ScriptProcess, SpawnOptions } from './processes.ts';
export type { Direction, FreezeOptions, ProxyLink, ThawOptions } from './proxy-link.ts';
export type { ClusterOptions, RedisCluster } from './redis-cluster.ts';
export type { RedisInfo } from './redis-info.ts';
export type { RedisSentinel, SentinelOptions } from './redis-sentinel.ts';
export type { RedisOptions, RedisServer } from './redis-server.ts';
export type { RawWebSocket, RawWebSocketOptions } from './raw-web-socket.ts';
export type { ScratchDir } from './scratch-dir.ts';
export type { ServedPage } from './serve-page.ts';
export type { Ending } from './tcp-pipe.ts';
export type { ProxyOptions, TcpProxy } from './tcp-proxy.ts';
export type { ClientOptions, Closed, TestClient } from './test-client.ts';
export type { UntilOptions } from './until.ts';
export type { FrameOptions, ReadFrame } from './websocket-frames.ts';
