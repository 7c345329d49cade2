import { connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, type Limits, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Name = SocketMessage.define({ name: 'name', data: z.null(), reply: z.string() });

describe('a pending request', () => {
	it.each(['close', 'terminate'] as const)('rejects immediately when the client leaves, by %s', async (leave) => {
		const { app, client, socketId } = await requesting();
		const name = app.socket.request(socketId, Name, null, { timeoutMs: 60_000 });
		await client.next();

		await client[leave]();
		await expect(name).rejects.toMatchObject({ name: 'SocketRequestError', code: 'disconnected' });
	});

	it.each(['this node', 'another node'])('to %s rejects immediately when the requesting node stops', async (where) => {
		const { app, client, socketId } = await requesting({}, where);
		const name = app.socket.request(socketId, Name, null, { timeoutMs: 60_000 });
		await client.next();

		const outcome = expect(name).rejects.toMatchObject({ name: 'SocketRequestError', code: 'disconnected' });
		await app.stop({ graceMs: 0 });
		await outcome;
	});

	it('is refused while too many to the same client are pending', async () => {
		const { app, client, connect, socketId } = await requesting({ pendingRequests: 2 });
		const other = await connect();
		const ask = (id = socketId) => app.socket.request(id, Name, null, { timeoutMs: 60_000 });
		const waiting = [ask(), ask(other.socketId)];
		const second = ask();

		await expect(ask()).rejects.toMatchObject({
			code: 'too_many_requests',
			message: 'name failed: the client has 2 pending requests (too_many_requests)',
		});
		const { correlationId } = parse(await client.next());
		sendTyped(client, '@reply', 'Ada', String(correlationId));
		expect(await waiting[0]).toEqual('Ada');
		const third = ask();
		await client.received(3);
		await client.close();
		await expect(Promise.allSettled([second, third])).resolves.toMatchObject([
			{ reason: { code: 'disconnected' } },
			{ reason: { code: 'disconnected' } },
		]);
	});

	it('does not cause queued messages of its client to be dropped', async () => {
		const gate = Promise.withResolvers<void>();
		const handled: number[] = [];
		const sockets: AppSocket[] = [];
		const limits = { queuedMessages: 2, messagesPerSecond: Infinity };
		const app = new Application({ logger: new RecordingLogger() }).websocket({ limits }).onWebSocket({
			open: (ws) => void sockets.push(ws),
			async message(_, message) {
				handled.push(Number(message));
				await gate.promise;
			},
		});
		const client = await connectSpeaker((await serve(app)).ws);
		void app.socket.request(String(sockets[0]?.data.socketId), Name, null, { timeoutMs: 60_000 });
		const numbers = Array.from({ length: 1_000 }, (_, number) => number);

		for (const number of numbers) client.send(String(number).padEnd(200));
		await until(() => handled.length > 0, { what: 'the first is handled' });
		gate.resolve();
		await until(() => handled.at(-1) === 999, { what: () => `the last of ${handled.length} is handled` });
		expect(handled).toHaveLength(numbers.length);
		expect(handled).toEqual(numbers);
	});
});

interface Node {
	readonly app: Application;
	connect(): Promise<{ client: TestClient; socketId: string }>;
}

async function startNode(backend: MemoryBackend, limits: Limits): Promise<Node> {
	const logger = new RecordingLogger();
	const sockets: AppSocket[] = [];
	const app = new Application({ logger })
		.websocket(new WsProvider({ bus: backend.createBus(), logger }), { limits })
		.socketRouter(new SocketRouter())
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	const { ws } = await serve(app);
	const connect = async () => {
		const client = await connectSpeaker(ws);
		return { client, socketId: String(sockets.at(-1)?.data.socketId) };
	};
	return { app, connect };
}

/** Starts a requesting node, and connects a client to the same or another node. */
async function requesting(limits: Limits = {}, where = 'this node') {
	const backend = new MemoryBackend();
	const here = await startNode(backend, limits);
	const there = where === 'this node' ? here : await startNode(backend, limits);
	return { app: here.app, connect: there.connect, ...(await there.connect()) };
}
