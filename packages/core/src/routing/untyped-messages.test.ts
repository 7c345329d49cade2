import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter, type WebSocketHandlers } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, sendTyped } from '../test-support/typed-client.ts';

const Echo = SocketMessage.define({ name: 'echo', data: z.unknown(), reply: z.unknown() });

describe('with a router and a message handler, the message handler receives unchanged', () => {
	it.each(['', 'hello', '{', 'null', '7', '[{"type":"echo"}]', '{}', '{"type":7}', '{"name":"echo"}', ' \n'])(
		'text: %j',
		async (text) => {
			const { client, received } = await connected();

			client.send(text);
			await allReceived(client);
			expect([received, answersOf(client)]).toEqual([[text], []]);
		},
	);

	it('bytes, even those of a typed message', async () => {
		const { client, received } = await connected();
		const bytes = [Uint8Array.of(), Uint8Array.of(0, 255), Buffer.from('{"type":"echo","correlationId":"a"}')];

		for (const each of bytes) client.send(each);
		sendTyped(client, 'echo', 'x', 'a');
		await client.next();
		expect(received).toEqual(bytes.map((each) => Buffer.from(each)));
		expect(answersOf(client)).toEqual([['a', 'x']]);
	});

	it('no typed messages, even refused ones', async () => {
		const { client, received } = await connected();

		sendTyped(client, 'echo', 'x', 'a');
		sendTyped(client, 'nothing', 'x', 'b');
		sendTyped(client, '@nothing', 'x', 'c');
		client.send('{"type":"echo","correlationId":7}');
		await allReceived(client);
		expect(received).toEqual([]);
		expect(answersOf(client)).toEqual([
			// Invalid messages are refused on arrival, before queued messages are handled.
			['a', 'x'],
			['b', 'unknown_type'],
			['c', 'unknown_type'],
			[undefined, 'invalid_message'],
		]);
	});
});

describe('with another binaryType, the message handler receives the same bytes', () => {
	it.each(['arraybuffer', 'uint8array', 'nodebuffer', 'blob'] as const)('%s', async (kind) => {
		const { client, received } = await connected({
			open(ws) {
				ws.binaryType = kind;
			},
		});

		client.send(Uint8Array.of(1, 2, 3));
		sendTyped(client, 'echo', 'x', 'a');
		await client.next();
		expect(received).toEqual([Buffer.from([1, 2, 3])]);
		expect(answersOf(client)).toEqual([['a', 'x']]);
	});
});

describe('with a router and without a message handler', () => {
	it('bytes end the connection with 1003', async () => {
		const log = new RecordingLogger();
		const app = new Application({ logger: log }).websocket().socketRouter(new SocketRouter().on(Echo, () => 0));
		const { ws } = await serve(app);
		const client = await connectSpeaker(ws);

		client.send(Uint8Array.of(1));
		expect(await client.closed).toEqual({ code: 1003, reason: 'binary messages are not accepted' });
		expect(app.refusals.binary).toBe(1);
		expect(log.errors).toEqual([]);
	});

	it('bytes affect no other connection', async () => {
		const app = new Application({ logger: new RecordingLogger() }).websocket();
		app.socketRouter(new SocketRouter().on(Echo, ({ data }) => data));
		const { ws } = await serve(app);
		const [wrong, right] = [await connectSpeaker(ws), await connectSpeaker(ws)];

		wrong.send(Uint8Array.of(1));
		await wrong.closed;
		sendTyped(right, 'echo', 'x', 'a');
		await right.next();
		expect(answersOf(right)).toEqual([['a', 'x']]);
	});
});

interface Connected {
	readonly client: TestClient;
	/** The messages received by the message handler. */
	readonly received: (string | Buffer)[];
}

async function connected(handlers: Omit<WebSocketHandlers, 'message'> = {}): Promise<Connected> {
	const received: (string | Buffer)[] = [];
	const app = new Application({ logger: new RecordingLogger() })
		.websocket()
		.socketRouter(new SocketRouter().on(Echo, ({ data }) => data))
		.onWebSocket({
			...handlers,
			async message(_, message) {
				received.push(typeof message === 'string' ? message : Buffer.from(await new Response(message).arrayBuffer()));
			},
		});
	const { ws } = await serve(app);
	return { client: await connectSpeaker(ws), received };
}
