import { connectSpeaker, frame, Opcode, RecordingLogger, startTcpProxy, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, type Limits, SocketRouter } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';
import { KeepAlive, type KeptAlive } from './keep-alive.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number(), reply: z.number() });
const JOB = '{"type":"job","data":1,"correlationId":"j"}';

/** The shortest times that the limits allow. */
const SHORT: Limits = { idleTimeoutMs: 8_000, pingIntervalMs: 1_000 };

const TEST_TIMEOUT_MS = 30_000;

async function serving(limits: Limits = SHORT) {
	const gate = Promise.withResolvers<number>();
	const sockets: AppSocket[] = [];
	const closed: [code: number, reason: string][] = [];
	const logger = new RecordingLogger();
	const app = new Application({ logger })
		.websocket({ limits })
		.socketRouter(new SocketRouter().on(Job, () => gate.promise))
		.onWebSocket({
			async open(ws) {
				sockets.push(ws);
				await ws.subscribe('news');
			},
			close: (_, code, reason) => void closed.push([code, reason]),
		});
	return { app, logger, gate, sockets, closed, ...(await serve(app)) };
}

/** Calls `action` every 200 ms until the test ends. */
function repeat(action: () => void): void {
	const timer = setInterval(action, 200);
	onTestFinished(() => clearInterval(timer));
}

/** Resolves once a client that connects now, and never answers, has been cut. */
async function idleTimeoutPasses(port: number): Promise<void> {
	await (await connectRawWebSocket(port)).closed();
}

describe('limits.idleTimeoutMs', () => {
	it(
		'cuts clients that have vanished, even if their topics have traffic, and no others',
		async () => {
			const { app, logger, gate, sockets, closed, port, ws } = await serving({ ...SHORT, queuedMessages: 1 });
			const proxy = await startTcpProxy({ port });
			onTestFinished(() => proxy.stop());
			const vanished = await connectSpeaker(`ws://localhost:${proxy.port}/ws`);
			const live = await connectSpeaker(ws);
			const [messages, pings, pongs] = [
				await connectRawWebSocket(port),
				await connectRawWebSocket(port),
				await connectRawWebSocket(port),
			];
			repeat(() => messages.send('{"type":"@ping"}'));
			repeat(() => pings.write(frame('', { opcode: Opcode.ping })));
			repeat(() => pongs.write(frame('', { opcode: Opcode.pong })));
			// The application has paused the first, the endpoint the second.
			const unread = [await connectRawWebSocket(port), await connectRawWebSocket(port)] as const;
			await until(() => sockets.length === 7, { what: 'all are connected' });
			sockets[5]?.pause();
			for (let i = 0; i < 3; i++) unread[1].send(JOB);
			await until(() => sockets[6]?.isPaused === true, { what: 'reading is paused' });

			repeat(() => void app.socket.publish('news', 'tick'));
			await vanished.next();
			proxy.freeze(() => true);
			await until(() => live.texts.length > 5, { what: 'a second has passed' });
			await idleTimeoutPasses(port);

			expect(closed).toEqual([
				[1006, ''],
				[1006, ''],
			]);
			expect(app.refusals.idle).toBe(2);
			expect(logger.lines).toContainEqual(
				expect.objectContaining({ message: expect.stringContaining('limits.idleTimeoutMs') as string }),
			);
			expect([live.texts.length > 20, unread[1].pings > 0]).toEqual([true, true]);
			gate.resolve(7);
			await until(() => unread[1].texts.filter((text) => text.includes('"data":7')).length === 3, {
				what: 'the client that was not read is answered',
			});
		},
		TEST_TIMEOUT_MS,
	);

	it(
		'cuts a client whose guards have not passed, and frees its connection slot',
		async () => {
			const limits = { ...SHORT, connections: 1, guardTimeoutMs: 60_000 };
			const router = new SocketRouter().authenticate(() => true);
			const app = new Application({ logger: new RecordingLogger() }).websocket({ limits }).socketRouter(router);
			const { port, ws } = await serve(app);
			await idleTimeoutPasses(port);

			expect(app.refusals).toMatchObject({ idle: 1, guardTimeout: 0 });
			await connectSpeaker(ws);
		},
		TEST_TIMEOUT_MS,
	);
});

it('a client is not cut early if a hundredth of the ping interval is not a whole number of milliseconds', async () => {
	const idleTimeoutMs = 400;
	const cut = Promise.withResolvers<number>();
	const keepAlive = new KeepAlive<Recorded>({ pingIntervalMs: 199, idleTimeoutMs }, (connection) => {
		keepAlive.remove(connection);
		cut.resolve(performance.now());
	});
	onTestFinished(() => keepAlive.stop());
	const begin = performance.now();
	keepAlive.add(new Recorded(keepAlive));

	expect((await cut.promise) - begin).toBeGreaterThanOrEqual(idleTimeoutMs);
});

describe('limits.pingIntervalMs', () => {
	it('is the interval at which each client is pinged, even while messages are sent to it', async () => {
		const { app, port } = await serving();
		repeat(() => void app.socket.publish('news', 'tick'));
		const clients = [await connectRawWebSocket(port), await connectRawWebSocket(port)];
		const begin = performance.now();
		await until(() => clients.every(({ pings }) => pings >= 3), { what: 'all are pinged three times' });

		for (const { pings } of clients) expect(pings).toBeLessThanOrEqual(2 + (performance.now() - begin) / 1_000);
	});

	it('is also the time over whose second half pings are spread if many clients connect at once', async () => {
		const keepAlive = new KeepAlive<Recorded>({ pingIntervalMs: 1_000, idleTimeoutMs: 8_000 }, () => {});
		onTestFinished(() => keepAlive.stop());
		const connections = Array.from({ length: 250 }, () => new Recorded(keepAlive));
		for (const connection of connections) keepAlive.add(connection);
		await until(() => keepAlive.tick >= 200, { what: 'two intervals have passed' });

		const perTick = new Map<number, number>();
		for (const { pingedAt } of connections) {
			const [first = 0, second = 0] = pingedAt;
			expect([second - first, first >= 50, first <= 100]).toEqual([100, true, true]);
			perTick.set(first, (perTick.get(first) ?? 0) + 1);
		}
		expect(Math.max(...perTick.values())).toBe(5);
	});
});

/** Records the ticks at which it is pinged. */
class Recorded implements KeptAlive {
	lastSeen = 0;
	pingGroup = 0;
	readonly isUnread = false;
	readonly pingedAt: number[] = [];
	readonly #keepAlive: { readonly tick: number };

	constructor(keepAlive: { readonly tick: number }) {
		this.#keepAlive = keepAlive;
	}

	ping(): void {
		this.pingedAt.push(this.#keepAlive.tick);
	}
}
