import { SocketClient } from '@orijs/websocket-client';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { RecordingLogger, startRedis } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { Application, SocketMessage, SocketRouter } from './index.ts';

const Name = SocketMessage.define({ name: 'name', data: z.string(), reply: z.string() });

it('requests to a client of another node are answered, and rejected as soon as it leaves', async () => {
	const redis = await startRedis();
	onTestFinished(() => redis.stop());
	const [here, there] = [await startNode(redis.port), await startNode(redis.port)];
	const client = new SocketClient(there.url);
	onTestFinished(() => client.close());
	const asked = Promise.withResolvers<void>();
	client.handle(Name, (title) => {
		if (title === 'Dr.') return 'Dr. Ada';
		asked.resolve();
		return new Promise<string>(() => {});
	});
	await client.connect();
	const socketId = client.socketId as string;

	expect(await here.app.socket.request(socketId, Name, 'Dr.')).toBe('Dr. Ada');
	const pending = here.app.socket.request(socketId, Name, 'Prof.', { timeoutMs: 60_000 });
	const outcome = expect(pending).rejects.toMatchObject({ name: 'SocketRequestError', code: 'disconnected' });
	await asked.promise;
	await client.close();
	await outcome;
	// The backend may learn a moment later that the socket has left.
	const late = here.app.socket.request(socketId, Name, 'Sir', { timeoutMs: 60_000 });
	await expect(late.catch((error: Error) => error.message)).resolves.toMatch(/disconnected|not connected/);
	expect(here.log.errors).toEqual([]);
	expect(there.log.errors).toEqual([]);
});

async function startNode(port: number) {
	const log = new RecordingLogger();
	const app = new Application({ logger: log, signals: false })
		.websocket(new RedisWsProvider({ connection: { port }, logger: log }))
		.socketRouter(new SocketRouter());
	onTestFinished(() => app.stop());
	const { port: listening } = await app.listen(0);
	return { app, log, url: `ws://localhost:${listening}/ws` };
}
