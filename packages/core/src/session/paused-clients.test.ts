import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number() });

it('clients that vanish while reading from them is paused are detected, and free their connection slots', async () => {
	const gate = Promise.withResolvers<void>();
	const sockets: AppSocket[] = [];
	let aborted = 0;
	const router = new SocketRouter().on(Job, (ctx) => {
		if (ctx.data === 0) ctx.signal.addEventListener('abort', () => aborted++);
		return gate.promise;
	});
	const app = new Application({ logger: new RecordingLogger() })
		.websocket({ limits: { connections: 3, queuedMessages: 4, handlerTimeoutMs: 2_000 } })
		.socketRouter(router)
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const { port, ws } = await serve(app);
	const clients = [await connectRawWebSocket(port), await connectRawWebSocket(port), await connectRawWebSocket(port)];
	for (const client of clients) {
		for (let number = 0; number < 50; number++) client.send(`{"type":"job","data":${number}}`);
	}
	await until(() => sockets.length === 3 && sockets.every(({ isPaused }) => isPaused), { what: 'reading is paused' });
	await expect(connectSpeaker(ws)).rejects.toThrow();

	for (const client of clients) client.end();
	await until(() => aborted === 3, { what: () => `all are detected, not just ${aborted}` });
	for (let i = 0; i < 3; i++) await connectSpeaker(ws);
	gate.resolve();
});
