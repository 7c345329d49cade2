import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from './index.ts';
import { serve } from './test-support/serve.ts';
import { answersOf, sendTyped } from './test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.any(), reply: z.any() });

it('replacing ws.data throws, says where to store own data, and changes nothing', async () => {
	const { client, ws, app } = await connected();
	const { data } = ws;

	expect(() => {
		(ws as { data: unknown }).data = { mine: 1 };
	}).toThrow(new TypeError('ws.data cannot be replaced: store your own data in ws.data.data'));
	expect(ws.data).toBe(data);
	sendTyped(client, 'job', 'next', 'a');
	await app.socket.send(data.socketId, '{}');
	await client.received(2);
	expect(answersOf(client)).toEqual([['a', 'next']]);
	await client.close();
});

it('ws.data.data belongs to the application, which may replace it', async () => {
	const { ws } = await connected();

	(ws.data as { data: object }).data = { mine: 1 };
	expect(ws.data.data).toEqual({ mine: 1 });
});

it('ws.close with an invalid code throws, and the socket stays usable', async () => {
	const { client, ws } = await connected();
	let closing: unknown;

	sendTyped(client, 'job', 'first', 'a');
	await client.received(1);
	try {
		ws.close('abc' as unknown as number);
	} catch (error) {
		closing = error;
	}
	expect(closing).toBeInstanceOf(TypeError);
	expect(ws.readyState).toBe(WebSocket.OPEN);
	sendTyped(client, 'job', 'second', 'b');
	await client.received(2);
	expect(answersOf(client)).toEqual([
		['a', 'first'],
		['b', 'second'],
	]);
});

it('a socket paused by the application stays paused after its handler has finished', async () => {
	const { client, ws } = await connected();

	sendTyped(client, 'job', 'pause', 'a');
	await client.received(1);
	expect(ws.isPaused).toBe(true);
	ws.resume();
	sendTyped(client, 'job', 'next', 'b');
	await client.received(2);
	expect(answersOf(client)).toEqual([
		['a', 'pause'],
		['b', 'next'],
	]);
});

/** Connects a client to an application that answers with the data it receives. */
async function connected() {
	const sockets: AppSocket[] = [];
	const router = new SocketRouter().on(Job, async ({ data, ws }) => {
		if (data === 'pause') ws.pause();
		await Bun.sleep(1);
		return data;
	});
	const app = new Application({ logger: new RecordingLogger() })
		.websocket()
		.socketRouter(router)
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const client = await connectSpeaker((await serve(app)).ws);
	const [ws] = sockets;
	if (ws === undefined) throw new Error('no socket was opened');
	return { app, client, ws };
}
