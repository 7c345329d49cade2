import { connectClient, HANDSHAKE, RecordingLogger } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { serve } from '../test-support/serve.ts';

describe('when stop() is called', () => {
	it('a request in flight is answered before shutdown hooks run, with the provider still started', async () => {
		const order: string[] = [];
		const asked = Promise.withResolvers<void>();
		const answer = Promise.withResolvers<void>();
		const app = new Application()
			.websocket()
			.routes({
				'/slow': async () => {
					asked.resolve();
					await answer.promise;
					await app.socket.broadcast('from a request in flight');
					order.push('answered');
					return new Response('worth waiting for');
				},
			})
			.onShutdown(() => void order.push('hook'));
		const { port } = await serve(app);
		// Uses a raw connection, because `fetch` would retry and so hide a broken connection.
		const client = await connectRaw(port);
		client.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
		await asked.promise;

		const stopped = app.stop();
		answer.resolve();
		await client.seen('worth waiting for');
		await stopped;
		expect(client.received).toMatch(/^HTTP\/1\.1 200 OK/);
		expect(order).toEqual(['answered', 'hook']);
	});

	it('a request that never ends, such as one that awaits stop(), is cut off after graceMs', async () => {
		const cutOff = async (provider: InProcWsProvider): Promise<void> => {
			const asked = Promise.withResolvers<void>();
			const app = new Application().websocket(provider).routes({
				'/stop': async () => {
					asked.resolve();
					await app.stop({ graceMs: 2_000 }).catch(() => {});
					return new Promise<Response>(() => {});
				},
			});
			const { port } = await app.listen(0);
			const client = await connectRaw(Number(port));
			client.write('POST /stop HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n');
			await asked.promise;

			const begin = performance.now();
			await app.stop().catch(() => {});
			await client.closed();
			expect(client.received).toBe('');
			// The request is cut off at the deadline, with tolerance for a busy machine.
			expect(performance.now() - begin).toBeGreaterThan(1_900);
			expect(performance.now() - begin).toBeLessThan(6_000);
		};

		class StuckProvider extends InProcWsProvider {
			override stop(): Promise<void> {
				return Promise.reject(new Error('failed to stop'));
			}
		}
		await Promise.all([cutOff(new InProcWsProvider()), cutOff(new StuckProvider({ logger: new RecordingLogger() }))]);
	});

	it.each(['data', 'refusal', 'failure'])(
		'a pending upgrade() is answered with 503; a later %s has no effect',
		async (late) => {
			const logger = new RecordingLogger();
			const provider = new InProcWsProvider({ logger });
			const asked = Promise.withResolvers<void>();
			const result = Promise.withResolvers<object | null>();
			let opened = 0;
			const app = new Application({ logger })
				.websocket(provider, {
					upgrade() {
						asked.resolve();
						return result.promise;
					},
				})
				.onWebSocket({ open: () => void opened++ });
			const { port } = await serve(app);
			const client = await connectRaw(port);
			client.write(`${HANDSHAKE}\r\n`);
			await asked.promise;

			const begin = performance.now();
			await app.stop();
			await client.closed();
			expect(client.received).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n[^]*Server is stopping$/);
			// Answered because of stop(), not because upgrade() took too long.
			expect(performance.now() - begin).toBeLessThan(3_000);

			if (late === 'data') result.resolve({ too: 'late' });
			else if (late === 'refusal') result.resolve(null);
			else result.reject(new Error('too late'));
			await result.promise.catch(() => {});
			await new Promise((resolve) => setImmediate(resolve));
			expect([opened, provider.getConnectionCount()]).toEqual([0, 0]);
			expect(logger.errors.map(({ message }) => message)).toEqual(late === 'failure' ? ['upgrade() failed'] : []);
		},
	);

	it('an upgrade() that resolves at the same moment ends in 503 or 1012, never in an open socket', async () => {
		const answers = new Set<string>();
		for (let steps = 0; steps < 15; steps++) {
			const provider = new InProcWsProvider();
			const asked = Promise.withResolvers<void>();
			const result = Promise.withResolvers<object>();
			const app = new Application().websocket(provider, {
				upgrade() {
					asked.resolve();
					return result.promise;
				},
			});
			const { port } = await serve(app);
			const client = await connectRaw(port);
			client.write(`${HANDSHAKE}\r\n`);
			await asked.promise;

			result.resolve({});
			for (let i = 0; i < steps; i++) await Promise.resolve();
			await app.stop();
			await client.closed();
			expect(provider.getConnectionCount()).toBe(0);
			const [head, frames = ''] = client.received.split('\r\n\r\n');
			// From a close frame, only the reason is kept, without the retry hint.
			answers.add(
				`${head?.slice(0, 12)} ${frames.slice(frames.startsWith('\x88') ? 4 : 0).replace(/; retry-after-ms=\d+$/, '')}`,
			);
		}
		expect(answers).toEqual(new Set(['HTTP/1.1 503 Server is stopping', 'HTTP/1.1 101 server is stopping; drained']));
	});

	it('a socket whose open handler is still running is closed with 1012 like all others', async () => {
		const releaseHandlers = Promise.withResolvers<void>();
		const finished = Promise.withResolvers<number>();
		const app = new Application().websocket().onWebSocket({
			async open(ws) {
				await releaseHandlers.promise;
				finished.resolve(ws.send('too late'));
			},
		});
		const { ws } = await serve(app);
		const client = await connectClient(ws);

		await app.stop();
		releaseHandlers.resolve();
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(await finished.promise).toBe(0);
		expect(client.messages).toEqual([]);
	});
});
