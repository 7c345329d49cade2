// An unhandled rejection in any of these tests makes Vitest fail the run.

import { connectClient, RecordingLogger } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { Application, type WebSocketHandlers } from '../index.ts';
import { serve } from '../test-support/serve.ts';

const ways: readonly [string, (error: Error) => Promise<void>][] = [
	[
		'throws',
		(error) => {
			throw error;
		},
	],
	['rejects', (error) => Promise.reject(error)],
	[
		'rejects later',
		async (error) => {
			await new Promise((resolve) => setImmediate(resolve));
			throw error;
		},
	],
];

describe.each(ways)('a handler that %s', (_, fail) => {
	it('open: is logged, and its socket is closed with 1011 and removed', async () => {
		const { url, log, provider } = await listening({
			open: (ws) => (ws.data.data.isBad ? fail(new Error('open failed here')) : undefined),
			message: (ws, message) => void ws.send(message),
		});
		const good = await connectClient(url);
		const bad = await connectClient(`${url}?bad`);

		expect(await bad.closed).toEqual({ code: 1011, reason: 'open failed' });
		expect(log.errors).toEqual([
			{
				level: 'error',
				message: 'The open handler failed',
				details: { socketId: expect.any(String) as string, err: new Error('open failed here') },
			},
		]);
		const socketId = log.errors[0]?.details?.['socketId'];
		expect([provider.isConnected(String(socketId)), provider.getConnectionCount()]).toEqual([false, 1]);
		await echoes(good);
	});

	it('message: is logged, and its connection and all others stay usable', async () => {
		const ids: string[] = [];
		const { url, log } = await listening({
			open(ws) {
				ids.push(ws.data.socketId);
			},
			message: (ws, message) => (message === 'bad' ? fail(new Error('message failed')) : void ws.send(message)),
		});
		const [first, second] = [await connectClient(url), await connectClient(url)];

		first.send('bad');
		await echoes(first);
		await echoes(second);
		expect(log.errors).toEqual([
			{
				level: 'error',
				message: 'The message handler failed',
				details: { socketId: ids[0], err: new Error('message failed') },
			},
		]);
	});

	it('close: is logged, and its socket is removed', async () => {
		const ids: string[] = [];
		const { url, log, provider } = await listening({
			async open(ws) {
				ids.push(ws.data.socketId);
				await ws.subscribe('t');
			},
			message: (ws, message) => void ws.send(message),
			close: (ws) => (ws.data.data.isBad ? fail(new Error('close failed')) : undefined),
		});
		const bad = await connectClient(`${url}?bad`);
		const good = await connectClient(url);

		await bad.close();
		await log.untilErrors(1);
		expect(log.errors).toEqual([
			{
				level: 'error',
				message: 'The close handler failed',
				details: { socketId: ids[0], err: new Error('close failed') },
			},
		]);
		expect([provider.getConnectionCount(), provider.getTopicSubscriberCount('t')]).toEqual([1, 1]);
		await echoes(good);
	});

	it('drain: is logged, and its connection stays usable', async () => {
		const { url, log } = await listening({
			message(ws, message) {
				if (message === 'flood') while (ws.send('x'.repeat(64 * 1024)) > 0);
				else ws.send(message);
			},
			drain: () => fail(new Error('drain failed')),
		});
		const client = await connectClient(url);

		client.send('flood');
		await log.untilErrors(1);
		expect(log.errors[0]).toEqual({
			level: 'error',
			message: 'The drain handler failed',
			details: { socketId: expect.any(String) as string, err: new Error('drain failed') },
		});
		await echoes(client);
	});
});

async function listening(handlers: WebSocketHandlers<{ isBad: boolean }>) {
	const log = new RecordingLogger();
	const provider = new InProcWsProvider({ logger: log });
	const app = new Application({ logger: log })
		.websocket(provider, { upgrade: (req) => ({ isBad: req.url.endsWith('?bad') }) })
		.onWebSocket(handlers);
	const { ws: url } = await serve(app);
	return { url, log, provider };
}

async function echoes(client: Awaited<ReturnType<typeof connectClient>>): Promise<void> {
	const marker = crypto.randomUUID();
	client.send(marker);
	await client.next((message) => message === marker);
}
