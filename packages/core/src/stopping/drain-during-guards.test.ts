import { connectClient, until } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number(), reply: z.string() });

describe('a connection that has not passed its guards when stop() is called', () => {
	it('is closed with 1012 like all others, whether it has said something or not', async () => {
		const asked = Promise.withResolvers<void>();
		const verdict = Promise.withResolvers<boolean>();
		const happened: string[] = [];
		const router = new SocketRouter()
			.guard(() => {
				asked.resolve();
				return verdict.promise;
			})
			.on(Job, () => {
				happened.push('handled');
				return 'done';
			});
		const logger = new RecordingLogger();
		const provider = new InProcWsProvider({ logger });
		const app = new Application({ logger })
			.websocket(provider)
			.socketRouter(router)
			.onWebSocket({ open: () => void happened.push('opened'), close: () => void happened.push('closed') });
		const { ws } = await serve(app);
		const [silent, speaking] = await Promise.all([connectClient(ws), connectClient(ws)]);
		sendTyped(speaking, 'job', 1, 'a');
		await asked.promise;

		const begin = performance.now();
		await app.stop();
		for (const client of [silent, speaking]) {
			expect(await client.closed).toEqual({
				code: 1012,
				reason: expect.stringMatching(/^server is stopping; drained; retry-after-ms=\d+$/),
			});
		}
		// Nobody waits for a guard: what it lets in would be closed at once.
		expect(performance.now() - begin).toBeLessThan(4_000);

		verdict.resolve(true);
		await verdict.promise;
		await new Promise((resolve) => setImmediate(resolve));
		expect(happened).toEqual([]);
		expect(answersOf(speaking)).toEqual([]);
		expect(logger.errors).toEqual([]);
		await until(() => provider.getConnectionCount() === 0, { what: 'no connection is left' });
	});
});
