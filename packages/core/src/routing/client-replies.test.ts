import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { answersOf, allReceived, parse, sendTyped } from '../test-support/typed-client.ts';

const Name = SocketMessage.define({ name: 'name', data: z.null(), reply: z.string() });

describe('a reply', () => {
	it('from a client other than the requested one is ignored, on any node', async () => {
		const [here, there] = await twoNodes();
		const asked = await here.connect();
		const forgers = [await here.connect(), await there.connect()];

		for (const { app } of [here, there]) {
			const name = app.socket.request(asked.socketId, Name, null);
			const { correlationId } = parse(await asked.client.next());
			for (const { client } of forgers) {
				sendTyped(client, '@reply', 'Eve', String(correlationId));
				await allReceived(client);
			}
			// A forwarded reply takes the same path as this message, and arrives before it.
			await there.app.socket.send(asked.socketId, '"marker"');
			await asked.client.next((message) => message === '"marker"');
			sendTyped(asked.client, '@reply', 'Ada', String(correlationId));
			expect(await name).toBe('Ada');
		}
		for (const { client } of forgers) expect(answersOf(client)).toEqual([]);
	});

	it('is accepted once', async () => {
		const [here] = await twoNodes();
		const { client, socketId } = await here.connect();

		const name = here.app.socket.request(socketId, Name, null);
		const { correlationId } = parse(await client.next());
		for (const answer of ['Ada', 'Eve']) sendTyped(client, '@reply', answer, String(correlationId));
		expect(await name).toBe('Ada');
		await allReceived(client);
		expect(answersOf(client)).toEqual([]);
	});

	it.each([undefined, 'x', '7', 'x.1', crypto.randomUUID(), `${crypto.randomUUID()}.`, `${crypto.randomUUID()}.x`])(
		'with a correlation id that no node can have created is refused: %j',
		async (correlationId) => {
			const [here] = await twoNodes();
			const { client } = await here.connect();

			sendTyped(client, '@reply', 'Ada', correlationId);
			expect(parse(await client.next())).toEqual({
				type: '@reply',
				correlationId,
				error: { code: 'invalid_message', message: 'The reply matches no request' },
			});
			expect(here.app.refusals.message).toBe(1);
		},
	);

	it.each([
		`"data":${'['.repeat(33)}${']'.repeat(33)}`,
		`"error":${'['.repeat(33)}${']'.repeat(33)}`,
		'"data":{"__proto__":1}',
		'"data":1e999',
		'"data":"Ada","values":[["date"]]',
	])("that can't be read is refused, and fails the request at once, on any node: %s", async (content) => {
		const [here, there] = await twoNodes();
		const { client, socketId } = await here.connect();

		for (const { app } of [here, there]) {
			const name = app.socket.request(socketId, Name, null, { timeoutMs: 60_000 });
			name.catch(() => {});
			const { correlationId } = parse(await client.next());
			client.send(`{"type":"@reply","correlationId":"${String(correlationId)}",${content}}`);
			const code = content.includes('values') ? 'invalid_data' : 'invalid_message';
			expect(parse(await client.next())).toMatchObject({ type: '@reply', correlationId, error: { code } });
			await expect(name).rejects.toMatchObject({
				name: 'SocketRequestError',
				code: 'invalid_reply',
				message: expect.stringContaining("the reply can't be read: ") as string,
			});
		}
	});

	it('for an unknown or stopped node is ignored', async () => {
		const [here] = await twoNodes();
		const { client } = await here.connect();

		sendTyped(client, '@reply', 'Ada', `${crypto.randomUUID()}.1`);
		await allReceived(client);
		expect([answersOf(client), here.log.errors]).toEqual([[], []]);
	});
});

it.each(['text', 'null', '7', '{}', '{"correlationId":"x"}'])(
	'replies are still forwarded after unrelated messages between nodes: %j',
	async (text) => {
		const [here, there] = await twoNodes();
		const { client, socketId } = await here.connect();

		await here.provider.sendToNode(there.provider.nodeId, text);
		const name = there.app.socket.request(socketId, Name, null);
		sendTyped(client, '@reply', 'Ada', String(parse(await client.next())['correlationId']));
		expect(await name).toBe('Ada');
	},
);

interface Node {
	readonly app: Application;
	readonly provider: WsProvider;
	readonly log: RecordingLogger;
	connect(): Promise<{ client: TestClient; socketId: string }>;
}

async function twoNodes(): Promise<[Node, Node]> {
	const backend = new MemoryBackend();
	const start = async (): Promise<Node> => {
		const log = new RecordingLogger();
		const sockets: AppSocket[] = [];
		const provider = new WsProvider({ bus: backend.createBus(), logger: log });
		const app = new Application({ logger: log })
			.websocket(provider)
			.socketRouter(new SocketRouter())
			.onWebSocket({ open: (ws) => void sockets.push(ws) });
		const { ws } = await serve(app);
		const connect = async () => {
			const client = await connectSpeaker(ws);
			return { client, socketId: String(sockets.at(-1)?.data.socketId) };
		};
		return { app, provider, log, connect };
	};
	return [await start(), await start()];
}
