import { connectClient } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { serve } from '../test-support/serve.ts';

describe('a close handler that takes its time when stop() closes its socket', () => {
	it('comes to its end before shutdown hooks run, with the provider still started', async () => {
		const happened: string[] = [];
		const logger = new RecordingLogger();
		const app = new Application({ logger })
			.websocket(new InProcWsProvider({ logger }))
			.onWebSocket({
				async close() {
					// As long as a database takes.
					await Bun.sleep(50);
					await app.socket.broadcast('somebody left');
					happened.push('said goodbye');
				},
			})
			.onShutdown(() => void happened.push('shut down'));
		const client = await connectClient((await serve(app)).ws);

		await app.stop();
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(happened).toEqual(['said goodbye', 'shut down']);
		expect(logger.errors).toEqual([]);
	});
});
