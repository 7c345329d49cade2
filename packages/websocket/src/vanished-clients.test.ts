import { connectClient, RecordingLogger, startTcpProxy, until } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { InProcWsProvider, SocketCoordinator, type SocketData, type WebSocketConnection } from './index.ts';

/** The sample of the README's section on clients that vanish, with shorter times. */
it('the sample of the README cuts only the client that vanished, although its topic has traffic', async () => {
	const PING_INTERVAL_MS = 100;
	const IDLE_TIMEOUT_MS = 1_000;
	const provider = new InProcWsProvider({ logger: new RecordingLogger() });
	const coordinator = new SocketCoordinator({ provider });
	const noteSeen = (ws: WebSocketConnection<{ seenAt: number }>): void => {
		ws.data.data.seenAt = performance.now();
	};
	const server = Bun.serve<SocketData<{ seenAt: number }>>({
		port: 0,
		fetch(req, server) {
			const data = { socketId: crypto.randomUUID(), data: { seenAt: performance.now() }, topics: new Set<string>() };
			return server.upgrade(req, { data }) ? undefined : new Response('Hello');
		},
		websocket: {
			sendPings: false,
			idleTimeout: (2 * IDLE_TIMEOUT_MS) / 1_000,
			open(ws) {
				void coordinator.addConnection(ws);
				void coordinator.subscribeToTopic(ws.data.socketId, 'news');
			},
			message: (ws) => noteSeen(ws),
			ping: noteSeen,
			pong: noteSeen,
			close(ws) {
				coordinator.removeConnection(ws.data.socketId);
			},
		},
	});
	provider.setServer(server);
	await provider.start();
	const sweep = setInterval(() => {
		for (const ws of provider.getConnections() as Iterable<WebSocketConnection<{ seenAt: number }>>) {
			if (performance.now() - ws.data.data.seenAt > IDLE_TIMEOUT_MS) ws.terminate();
			else ws.ping();
		}
	}, PING_INTERVAL_MS);
	const traffic = setInterval(() => void provider.publish('news', 'tick'), 50);
	const proxy = await startTcpProxy({ port: server.port as number });
	onTestFinished(async () => {
		clearInterval(sweep);
		clearInterval(traffic);
		await provider.stop();
		await server.stop(true);
		await proxy.stop();
	});

	const vanished = await connectClient(`ws://localhost:${proxy.port}`);
	const live = await connectClient(`ws://localhost:${server.port}`);
	await vanished.next();
	proxy.freeze(() => true);
	await until(() => coordinator.getConnectionCount() === 1, { what: 'the vanished client is cut' });
	const seen = live.texts.length;
	await live.received(seen + 20);
	expect(coordinator.getConnectionCount()).toBe(1);
});
