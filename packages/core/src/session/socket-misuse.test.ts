import { connectClient } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { RecordingLogger } from '../test-support/recording-logger.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, sendTyped } from '../test-support/typed-client.ts';

const Job = SocketMessage.define({ name: 'job', data: z.any(), reply: z.any() });

it('ws.data can not be replaced, which says where to keep what; nothing else happens of it', async () => {
	const { client, ws, app } = await connected();
	const { data } = ws;

	expect(() => {
		(ws as { data: unknown }).data = { mine: 1 };
	}).toThrow(new TypeError('ws.data cannot be replaced: store your own data in ws.data.data'));
	expect(ws.data).toBe(data);
	sendTyped(client, 'job', 'on it goes', 'a');
	await app.socket.send(data.socketId, '{}');
	await client.received(2);
	expect(answersOf(client)).toEqual([['a', 'on it goes']]);
	await client.close();
});

it('ws.data.data is the application’s own, to be replaced as it likes', async () => {
	const { ws } = await connected();

	(ws.data as { data: object }).data = { mine: 1 };
	expect(ws.data.data).toEqual({ mine: 1 });
});

it('ws.close with a code that is none throws, and the socket goes on as before', async () => {
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

it('a socket that the application has paused stays so when its handlers have ended', async () => {
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

/** A client of an application that answers with what it was told. */
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
	const client = await connectClient((await serve(app)).ws);
	const [ws] = sockets;
	if (ws === undefined) throw new Error('no socket was opened');
	return { app, client, ws };
}
