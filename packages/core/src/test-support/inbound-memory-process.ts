// A server whose handlers, guards and backend never answer, in its own process. On request it reports its memory.

import { answerRequests } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';

export interface Memory {
	readonly port: number;
	/** Resident memory after garbage collection, in bytes. */
	readonly rss: number;
	/** How many times reading from a socket was paused. */
	readonly pauses: number;
}

const never = new Promise<never>(() => {});
const HOURS_MS = 3_600_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const Hang = SocketMessage.define({ name: 'hang', data: z.unknown() });
const Ask = SocketMessage.define({ name: 'ask', data: z.unknown(), reply: z.unknown() });

const bus = new MemoryBackend().createBus();
let pauses = 0;
let isCounting = false;

const app = new Application({ logger: quiet, signals: false })
	.websocket(new WsProvider({ bus, logger: quiet }), {
		authorize: { subscribe: (_, topic) => (topic === 'undecided' ? never : true) },
		limits: {
			messagesPerSecond: Infinity,
			bytesPerSecond: Infinity,
			guardTimeoutMs: HOURS_MS,
			handlerTimeoutMs: HOURS_MS,
		},
	})
	.socketRouter(
		new SocketRouter()
			.authenticate((ctx) => (ctx.auth === 'in' ? true : never))
			.on(Hang, () => never)
			.on(Ask, (ctx) => ctx.request(Ask, null, { timeoutMs: HOURS_MS })),
	)
	.onWebSocket({ open: countPauses });
const { port } = await app.listen(0);
// From now on, the backend does not confirm subscriptions.
bus.subscribe = () => never;

function countPauses(socket: AppSocket): void {
	if (isCounting) return;
	isCounting = true;
	// Bun's own prototype is below the one that the application inserts. Sockets have it even while their guards run.
	const bun = Object.getPrototypeOf(Object.getPrototypeOf(socket)) as AppSocket;
	const { pause } = bun;
	bun.pause = function (this: AppSocket) {
		pauses++;
		pause.call(this);
	};
}

answerRequests(async () => {
	for (let i = 0; i < 3; i++) {
		Bun.gc(true);
		await Bun.sleep(50);
	}
	return { port: port as number, rss: process.memoryUsage.rss(), pauses } satisfies Memory;
});
