/**
 * A server node, started as `node.ts PORT ORIGIN [REDIS_URL]`. Publishes a numbered message whenever the test requests
 * it.
 */
import { Application, SocketRouter } from '@orijs/core';
import { answerRequests } from '@orijs/testkit/child';
import { InProcWsProvider, type Logger } from '@orijs/websocket';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { Double, Tick, TOPIC } from './messages.ts';

const [, , port, origin = '', redisUrl] = process.argv;

const logger: Logger = { debug() {}, info() {}, warn() {}, error: console.error };
const provider =
	redisUrl === undefined ? new InProcWsProvider({ logger }) : new RedisWsProvider({ connection: redisUrl, logger });
const app = new Application({ logger, readinessDelayMs: 0 })
	.websocket(provider, { allowedOrigins: [origin], authorize: { subscribe: (_ws, topic) => topic === TOPIC } })
	.socketRouter(new SocketRouter().on(Double, ({ data }) => data * 2));
await app.listen({ port: Number(port), hostname: '127.0.0.1' });

answerRequests(async (number) => {
	const timestamp = Date.now();
	await app.socket.emit(Tick, TOPIC, { number: number as number });
	return timestamp;
});
