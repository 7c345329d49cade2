import { connectSpeaker, HANDSHAKE } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type AppSocket, Application, ApplicationError, SocketRouter } from '../index.ts';
import { isPortFree } from '../test-support/ports.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { serve } from '../test-support/serve.ts';
import { allReceived, sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number(), reply: z.string() });
const Name = SocketMessage.define({ name: 'name', data: z.null(), reply: z.string() });

/** The tolerance for a busy machine: far below the default grace period of 10 s. */
const BUSY_MS = 3_000;

async function timeOf(promise: Promise<void>): Promise<number> {
	const begin = performance.now();
	await promise;
	return performance.now() - begin;
}

describe('stop({ graceMs })', () => {
	it('does not wait longer for a handler that never finishes: its client is closed with 1012', async () => {
		const signals: AbortSignal[] = [];
		const router = new SocketRouter().on(Job, ({ signal }) => {
			signals.push(signal);
			return new Promise<string>(() => {});
		});
		const app = new Application().websocket().socketRouter(router);
		const { ws, port } = await serve(app);
		const client = await connectSpeaker(ws);
		sendTyped(client, 'job', 1, 'a');
		sendTyped(client, 'job', 2, 'b');
		await allReceived(client);

		const took = await timeOf(app.stop({ graceMs: 300 }));
		expect(took).toBeGreaterThan(250);
		expect(took).toBeLessThan(300 + BUSY_MS);
		expect(await client.closed).toMatchObject({ code: 1012 });
		// Only the first message has a signal, because the queued one never starts.
		expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
		expect(await isPortFree(port)).toBe(true);
	});

	it("rejects the handlers' pending requests to clients, so that handlers finish before shutdown hooks run", async () => {
		const codes: unknown[] = [];
		const asked = Promise.withResolvers<void>();
		const router = new SocketRouter().on(Job, async (ctx) => {
			const answer = ctx.request(Name, null, { timeoutMs: 60_000 });
			asked.resolve();
			return answer.catch(({ code }) => {
				codes.push(code);
				return 'unknown';
			});
		});
		const app = new Application()
			.websocket()
			.socketRouter(router)
			.onShutdown(() => void codes.push('shut down'));
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'job', 1, 'a');
		await asked.promise;

		await app.stop({ graceMs: 100 });
		expect(codes).toEqual(['disconnected', 'shut down']);
	});

	it('does not wait longer for a client that never reads', async () => {
		const opened = Promise.withResolvers<AppSocket>();
		const app = new Application()
			.websocket({ limits: { queuedBytes: 256 * 1024 * 1024 } })
			.onWebSocket({ open: (socket) => opened.resolve(socket) });
		const { port } = await serve(app);
		const client = await connectRaw(port);
		client.write(`${HANDSHAKE}\r\n`);
		await client.seen('101 Switching Protocols');
		client.pause();
		const ws = await opened.promise;
		// More than fits into the kernel's buffers.
		const block = 'x'.repeat(1024 * 1024);
		for (let i = 0; i < 32; i++) ws.send(block);
		expect(ws.getBufferedAmount()).toBeGreaterThan(0);

		const took = await timeOf(app.stop({ graceMs: 300 }));
		expect(took).toBeGreaterThan(250);
		expect(took).toBeLessThan(300 + BUSY_MS);
		expect(await isPortFree(port)).toBe(true);
	});

	it('of 0 closes idle and busy connections immediately', async () => {
		const router = new SocketRouter().on(Job, () => new Promise<string>(() => {}));
		const app = new Application().websocket().socketRouter(router);
		const { ws } = await serve(app);
		const [busy, idle] = await Promise.all([connectSpeaker(ws), connectSpeaker(ws)]);
		sendTyped(busy, 'job', 1, 'a');
		await allReceived(busy);

		expect(await timeOf(app.stop({ graceMs: 0 }))).toBeLessThan(BUSY_MS);
		for (const client of [busy, idle]) expect(await client.closed).toMatchObject({ code: 1012 });
	});

	it.each<[string, unknown]>([
		['"5s"', '5s'],
		['null', null],
		['NaN', Number.NaN],
		['-1', -1],
		['Infinity', Number.POSITIVE_INFINITY],
		['2147483648', 2 ** 31],
	])('of %s is rejected, and the application keeps running', async (shown, graceMs) => {
		const app = new Application().routes({ '/': () => new Response('here') }).websocket();
		const { http, ws } = await serve(app);
		const client = await connectSpeaker(ws);

		const refused = app.stop({ graceMs: graceMs as number });
		await expect(refused).rejects.toThrow(ApplicationError);
		await expect(refused).rejects.toThrow(
			`stop(): graceMs must be a number of milliseconds from 0 to 2147483647, not ${shown}`,
		);
		expect(await (await fetch(http)).text()).toBe('here');
		expect(await client.close(1000)).toMatchObject({ code: 1000 });
	});

	it('called twice uses the first graceMs and stops once', async () => {
		let hooks = 0;
		const router = new SocketRouter().on(Job, () => new Promise<string>(() => {}));
		const app = new Application()
			.websocket()
			.socketRouter(router)
			.onShutdown(() => void hooks++);
		const client = await connectSpeaker((await serve(app)).ws);
		sendTyped(client, 'job', 1, 'a');
		await allReceived(client);

		const first = timeOf(app.stop({ graceMs: 300 }));
		const second = timeOf(app.stop({ graceMs: 60_000 }));
		for (const took of [await first, await second]) {
			expect(took).toBeGreaterThan(250);
			expect(took).toBeLessThan(300 + BUSY_MS);
		}
		expect(hooks).toBe(1);
	});
});
