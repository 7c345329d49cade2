import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application } from './index.ts';
import { LogBook } from './test-support/log-book.ts';
import { connectRaw, HANDSHAKE } from './test-support/raw-connection.ts';
import { serve } from './test-support/serve.ts';

/** Far more than Bun buffers for one socket (16 MiB) and the kernel takes. */
const BLOCKS = 600;
const BLOCK = 'x'.repeat(64 * 1024);

describe('a client that reads too slowly', () => {
	it('is closed rather than left with a hole in what it gets, and nothing remains of it', async () => {
		const logger = new LogBook();
		const provider = new InProcWsProvider({ logger });
		const opened = Promise.withResolvers<void>();
		const closed = Promise.withResolvers<string[]>();
		const app = new Application({ logger }).websocket(provider).onWebSocket({
			async open(ws) {
				await ws.subscribe('flood');
				opened.resolve();
			},
			close: (ws) => closed.resolve([...ws.data.topics]),
		});
		const { port } = await serve(app);
		const client = await connectRaw(port);
		client.write(`${HANDSHAKE}\r\n`);
		await client.seen('101 Switching Protocols');
		client.pause();
		await opened.promise;

		for (let i = 0; i < BLOCKS; i++) void app.socket.publish('flood', BLOCK);
		expect(await closed.promise).toEqual(['flood']);
		expect([provider.getConnectionCount(), provider.getTopicSubscriberCount('flood')]).toEqual([0, 0]);
	});
});
