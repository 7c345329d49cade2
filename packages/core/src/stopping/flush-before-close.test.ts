import { connectClient, startTcpProxy } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AppSocket, Application } from '../index.ts';
import { serve } from '../test-support/serve.ts';

const BLOCKS = 24;
const BLOCK_BYTES = 1024 * 1024;

describe('messages sent before stop()', () => {
	it('all reach a client that reads slowly but steadily, before 1012', async () => {
		const opened = Promise.withResolvers<AppSocket>();
		const app = new Application()
			.websocket({ limits: { queuedBytes: 256 * BLOCK_BYTES } })
			.onWebSocket({ open: (ws) => opened.resolve(ws) });
		const { port } = await serve(app);
		const line = await startTcpProxy({ port });
		onTestFinished(() => line.stop());
		const client = await connectClient(`ws://${line.host}:${line.port}/ws`);
		line.throttle(16 * BLOCK_BYTES);
		const ws = await opened.promise;
		for (let i = 0; i < BLOCKS; i++) ws.send(String(i).padEnd(BLOCK_BYTES, '.'));
		// More was sent than fits into the kernel's buffers.
		expect(ws.getBufferedAmount()).toBeGreaterThan(BLOCK_BYTES);

		await app.stop();
		expect(await client.closed).toMatchObject({ code: 1012 });
		expect(client.texts.map((text) => `${Number.parseInt(text, 10)}: ${text.length}`)).toEqual(
			Array.from({ length: BLOCKS }, (_, i) => `${i}: ${BLOCK_BYTES}`),
		);
	});
});
