import { connectClient, RecordingLogger } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { serve } from '../test-support/serve.ts';

describe('an asynchronous close handler called by stop()', () => {
	it('finishes before shutdown hooks run, with the provider still started', async () => {
		const events: string[] = [];
		const logger = new RecordingLogger();
		const app = new Application({ logger })
			.websocket(new InProcWsProvider({ logger }))
			.onWebSocket({
				async close() {
					// About as long as a database query.
					await Bun.sleep(50);
					await app.socket.broadcast('a client left');
					events.push('published');
				},
			})
			.onShutdown(() => void events.push('shut down'));
		const client = await connectClient((await serve(app)).ws);

		await app.stop();
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(events).toEqual(['published', 'shut down']);
		expect(logger.errors).toEqual([]);
	});
});
