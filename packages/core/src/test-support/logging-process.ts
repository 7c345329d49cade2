// A server with the default logger, in its own process. Its output is its log. It stops on request.

import { answerRequests } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket/protocol';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';

const Fail = SocketMessage.define({ name: 'fail', data: z.string() });
const Leave = SocketMessage.define({ name: 'leave', data: z.null() });
const closed = new Map<string, () => void>();

const app = new Application({ signals: false })
	.websocket({
		limits: { messagesPerSecond: Infinity, bytesPerSecond: Infinity },
		allowedOrigins: ['https://app.example.com'],
	})
	.socketRouter(
		new SocketRouter()
			.on(Fail, ({ data }) => {
				throw new TypeError(data);
			})
			.on(Leave, async (ctx) => {
				await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
				void ctx.subscribe('room');
				void ctx.send(Fail, 'too late');
				await ctx.ws.publish('room', 'x');
			}),
	)
	.onWebSocket({
		async message(ws, message) {
			if (message === 'leave') {
				await new Promise<void>((resolve) => closed.set(ws.data.socketId, resolve));
				void ws.publish('room', 'x');
				await ws.subscribe('room');
			} else if (message === 'await') {
				await ws.publish(`no topic ${ws.data.socketId}`, 'x');
			} else {
				void ws.publish(String(message), 'x');
			}
		},
		close: (ws) => closed.get(ws.data.socketId)?.(),
	});
const { port } = await app.listen(0);

answerRequests(async (request) => {
	if (request === 'stop') await app.stop();
	return port;
});
