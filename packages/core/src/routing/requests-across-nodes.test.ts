import { connectClient, RecordingLogger } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { allReceived, parse, sendTyped } from '../test-support/typed-client.ts';

const Name = SocketMessage.define({ name: 'name', data: z.null(), reply: z.string() });

it('requests to a socket of another node are refused while too many are pending', async () => {
	const backend = new MemoryBackend();
	const here = await startNode(backend);
	const there = await startNode(backend);
	const client = await connectClient(there.url);
	const socketId = String(there.sockets[0]?.data.socketId);
	const ask = () => here.app.socket.request(socketId, Name, null, { timeoutMs: 60_000 });

	const first = ask();
	const second = ask();
	await expect(ask()).rejects.toMatchObject({ name: 'SocketRequestError', code: 'too_many_requests' });
	expect(here.app.refusals.requests).toBe(1);
	await client.received(2);
	await allReceived(client);
	expect(client.texts.map(parse).filter(({ name }) => name === 'name')).toHaveLength(2);

	sendTyped(client, '@reply', 'Ada', String(parse(await client.next())['correlationId']));
	expect(await first).toBe('Ada');
	const third = ask();
	await client.received(4);
	const asked = client.texts.map(parse).filter(({ name }) => name === 'name');
	for (const { correlationId } of asked.slice(1)) sendTyped(client, '@reply', 'Bob', String(correlationId));
	expect(await Promise.all([second, third])).toEqual(['Bob', 'Bob']);
});

async function startNode(backend: MemoryBackend) {
	const logger = new RecordingLogger();
	const sockets: AppSocket[] = [];
	const app = new Application({ logger })
		.websocket(new WsProvider({ bus: backend.createBus(), logger }), { limits: { pendingRequests: 2 } })
		.socketRouter(new SocketRouter())
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	return { app, sockets, url: (await serve(app)).ws };
}
