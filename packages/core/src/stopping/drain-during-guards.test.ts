import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.number(), reply: z.string() });

describe('a connection that has not passed its guards when stop() is called', () => {
	it('is closed with 1012 like all others, whether or not it has sent a message', async () => {
		const guardCalled = Promise.withResolvers<void>();
		const decision = Promise.withResolvers<boolean>();
		const events: string[] = [];
		const router = new SocketRouter()
			.guard(() => {
				guardCalled.resolve();
				return decision.promise;
			})
			.on(Job, () => {
				events.push('handled');
				return 'done';
			});
		const logger = new RecordingLogger();
		const provider = new InProcWsProvider({ logger });
		const app = new Application({ logger })
			.websocket(provider)
			.socketRouter(router)
			.onWebSocket({ open: () => void events.push('opened'), close: () => void events.push('closed') });
		const { ws } = await serve(app);
		const [silent, sending] = await Promise.all([connectSpeaker(ws), connectSpeaker(ws)]);
		sendTyped(sending, 'job', 1, 'a');
		await guardCalled.promise;

		const begin = performance.now();
		await app.stop();
		for (const client of [silent, sending]) {
			expect(await client.closed).toEqual({
				code: 1012,
				reason: expect.stringMatching(/^server is stopping; drained; retry-after-ms=\d+$/),
			});
		}
		// stop() does not wait for guards: the connection would be closed anyway.
		expect(performance.now() - begin).toBeLessThan(4_000);

		decision.resolve(true);
		await decision.promise;
		await new Promise((resolve) => setImmediate(resolve));
		expect(events).toEqual([]);
		expect(answersOf(sending)).toEqual([]);
		expect(logger.errors).toEqual([]);
		await until(() => provider.getConnectionCount() === 0, { what: 'no connection is left' });
	});
});
