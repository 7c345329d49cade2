import { connectSpeaker } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { handshake, serve } from '../test-support/serve.ts';
import { answersOf, allReceived, sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number(), reply: z.string() });

describe('while stop() waits for a handler', () => {
	it('new connections get 503 with Retry-After, and HTTP routes still answer', async () => {
		const gate = Promise.withResolvers<void>();
		const router = new SocketRouter().on(Job, async () => {
			await gate.promise;
			return 'done';
		});
		const app = new Application()
			.routes({ '/health': () => new Response('here') })
			.websocket()
			.socketRouter(router);
		const address = await serve(app);
		const client = await connectSpeaker(address.ws);
		sendTyped(client, 'job', 1, 'a');
		await allReceived(client);

		const stopped = app.stop();
		const waits = new Set<number>();
		for (let i = 0; i < 40; i++) {
			const refused = await handshake(address);
			expect([refused.status, await refused.text()]).toEqual([503, 'Server is stopping']);
			waits.add(Number(refused.headers.get('retry-after')));
		}
		// `Retry-After` is in whole seconds, and not the same for all clients.
		expect(waits.size).toBeGreaterThan(1);
		for (const seconds of waits) expect([1, 2, 3, 4, 5]).toContain(seconds);
		expect(app.refusals.stopping).toBe(40);

		const plain = await fetch(`${address.http}/ws`);
		expect([plain.status, await plain.text()]).toEqual([503, 'WebSocket refused: the server is stopping']);
		expect(app.refusals.stopping).toBe(40);

		const health = await fetch(`${address.http}/health`);
		expect([health.status, await health.text()]).toEqual([200, 'here']);

		gate.resolve();
		await stopped;
		expect(answersOf(client)).toEqual([['a', 'done']]);
		await expect(fetch(`${address.http}/health`)).rejects.toThrow();
	});

	it('shutdown hooks wait until the sockets are closed', async () => {
		const order: string[] = [];
		const gate = Promise.withResolvers<void>();
		const router = new SocketRouter().on(Job, async () => {
			await gate.promise;
			order.push('handled');
			return 'done';
		});
		const app = new Application()
			.websocket()
			.socketRouter(router)
			.onWebSocket({ close: () => void order.push('closed') })
			.onShutdown(() => void order.push('shut down'));
		const { ws } = await serve(app);
		const [busy, idle] = await Promise.all([connectSpeaker(ws), connectSpeaker(ws)]);
		sendTyped(busy, 'job', 1, 'a');
		await allReceived(busy);

		const stopped = app.stop();
		expect(await idle.closed).toMatchObject({ code: 1012 });
		expect(order).toEqual(['closed']);
		gate.resolve();
		await stopped;
		expect(order).toEqual(['closed', 'handled', 'closed', 'shut down']);
	});
});
