import { connectClient, HANDSHAKE, until } from '@orijs/testkit';
import { InProcWsProvider, type WebSocketConnection } from '@orijs/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Application, type AppSocket, type WebSocketHandlers } from './index.ts';
import { connectRaw } from './test-support/raw-connection.ts';
import { serve } from './test-support/serve.ts';

describe('the socket passed to handlers', () => {
	it("sends text and bytes with each of Bun's methods", async () => {
		const { client } = await connected({
			message(ws) {
				ws.send('send');
				ws.send(new Uint8Array([1]));
				ws.send(new Uint8Array([2]).buffer);
				ws.sendText('sendText');
				ws.sendBinary(new Uint8Array([3]));
			},
		});

		client.send('go');
		expect(await client.received(5)).toEqual([
			'send',
			new Uint8Array([1]),
			new Uint8Array([2]),
			'sendText',
			new Uint8Array([3]),
		]);
	});

	it('receives text as a string and bytes as a Buffer', async () => {
		const received: (string | Buffer)[] = [];
		const { client } = await connected({
			message(ws, message) {
				received.push(typeof message === 'string' ? message : Buffer.from(message));
				ws.send('ok');
			},
		});

		client.send('text');
		client.send(new Uint8Array([1, 2, 3]));
		await client.received(2);
		expect(received).toEqual(['text', Buffer.from([1, 2, 3])]);
	});

	it('corks: passes itself to the callback and returns its result', async () => {
		const corked: unknown[] = [];
		const { client, ws } = await connected({
			message(ws) {
				const result = ws.cork((same) => {
					same.send('1');
					void same.subscribe('from-inside');
					same.send('2');
					return same;
				});
				corked.push(result);
			},
		});

		client.send('go');
		expect(await client.received(2)).toEqual(['1', '2']);
		expect(corked[0]).toBe(ws);
		expect([...ws.data.topics]).toEqual(['from-inside']);
	});

	it('sends pings and pongs, with and without text', async () => {
		const app = new Application().websocket().onWebSocket({
			open(ws) {
				ws.ping();
				ws.ping('ping');
				ws.pong('pong');
			},
		});
		const { port } = await serve(app);

		const raw = await connectRaw(port);
		raw.write(`${HANDSHAKE}\r\n`);
		await raw.seen('\r\n\r\n\x89\x00\x89\x04ping\x8a\x04pong');
	});

	it('has its state, its address and its subscriptions', async () => {
		const { client, ws } = await connected({});
		expect(ws.readyState).toBe(WebSocket.OPEN);
		expect(ws.remoteAddress).toMatch(/^(127\.0\.0\.1|::1|::ffff:127\.0\.0\.1)$/);

		await ws.subscribe('a');
		await ws.subscribe('b');
		await ws.unsubscribe('a');
		expect([ws.isSubscribed('a'), ws.isSubscribed('b')]).toEqual([false, true]);
		expect([ws.subscriptions, [...ws.data.topics]]).toEqual([['b'], ['b']]);

		await client.close();
		await until(() => ws.readyState === WebSocket.CLOSED, { what: 'the server has noticed the close' });
	});

	it('closes with a code and a reason, and terminates', async () => {
		const closing = await connected({});
		closing.ws.close(4001, 'enough');
		expect(await closing.client.closed).toEqual({ code: 4001, reason: 'enough' });

		const terminating = await connected({});
		terminating.ws.terminate();
		expect((await terminating.client.closed).code).toBe(1006);
	});

	it("is the same object from open to close, and the provider's", async () => {
		const seen: unknown[] = [];
		const closed = Promise.withResolvers<void>();
		const { client, ws, provider } = await connected({
			message(same) {
				seen.push(same);
				same.send('ok');
			},
			close(same) {
				seen.push(same);
				closed.resolve();
			},
		});
		expect(provider.getConnection(ws.data.socketId)).toBe(ws as unknown as WebSocketConnection);

		client.send('go');
		await client.next();
		await client.close();
		await closed.promise;
		expect(seen).toEqual([ws, ws]);
		expect([seen[0] === ws, seen[1] === ws]).toEqual([true, true]);
	});

	it('calls drain when a slow client can take messages again', async () => {
		const drained = Promise.withResolvers<AppSocket>();
		const { client, ws } = await connected({ drain: (same) => drained.resolve(same) });

		// More than fits into the kernel's buffers, but less than the limit at which Bun closes the socket.
		const block = 'x'.repeat(64 * 1024);
		let blocks = 0;
		do blocks++;
		while (ws.send(block) > 0 && blocks < 200);
		expect(ws.getBufferedAmount()).toBeGreaterThan(0);

		expect(await drained.promise).toBe(ws);
		expect(await client.received(blocks)).toHaveLength(blocks);
	});
});

/** Connects a client. Returns it together with its socket on the server. */
async function connected(handlers: Omit<WebSocketHandlers, 'open'>) {
	const opened = Promise.withResolvers<AppSocket>();
	const provider = new InProcWsProvider();
	const app = new Application().websocket(provider).onWebSocket({ ...handlers, open: (ws) => opened.resolve(ws) });
	const { ws: url } = await serve(app);
	const client = await connectClient(url);
	onTestFinished(() => void client.terminate());
	return { client, provider, ws: await opened.promise };
}
