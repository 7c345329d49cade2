import { connectSpeaker, RecordingLogger, type TestClient, until } from '@orijs/testkit';
import { SocketMessage, WsProvider } from '@orijs/websocket';
import { MemoryBackend } from '@orijs/websocket/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type AppSocket, SocketRouter, type WebSocketOptions } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';
import { serve } from '../test-support/serve.ts';
import { allReceived, parse, parseFramed, sendTyped } from '../test-support/typed-client.ts';

const Name = SocketMessage.define({ name: 'name', data: z.null(), reply: z.string() });

it('requests to a socket of another node are refused while too many are pending', async () => {
	const backend = new MemoryBackend();
	const here = await startNode(backend);
	const there = await startNode(backend);
	const client = await connectSpeaker(there.url);
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

type Node = Awaited<ReturnType<typeof startNode>>;

interface Asked {
	readonly here: Node;
	readonly there: Node;
	readonly client: TestClient;
	readonly ws: AppSocket;
	readonly socketId: string;
	ask(): Promise<string>;
}

/** Starts two nodes, and connects a client to the second one. The first one sends it requests. */
async function twoNodes(options: WebSocketOptions = {}): Promise<Asked> {
	const backend = new MemoryBackend();
	const [here, there] = [await startNode(backend, options), await startNode(backend, options)];
	const client = await connectSpeaker(there.url);
	const ws = there.sockets[0] as AppSocket;
	const { socketId } = ws.data;
	return { here, there, client, ws, socketId, ask: () => askFrom(here, socketId) };
}

const askFrom = (node: Node, socketId: string) => node.app.socket.request(socketId, Name, null, { timeoutMs: 60_000 });

/** Returns the correlation id of the next request that the client receives. */
async function nextRequest(client: TestClient): Promise<string> {
	return String(parse(await client.next((text) => parse(text)['name'] === 'name'))['correlationId']);
}

const DISCONNECTED = { name: 'SocketRequestError', code: 'disconnected', cause: { name: 'UnknownSocketError' } };

describe('a request to a socket of another node rejects with `disconnected` as soon as', () => {
	it.each<[string, (asked: Asked) => unknown]>([
		['its client closes the connection', ({ client }) => client.close()],
		['its client vanishes', ({ client }) => client.terminate()],
		['that node closes the connection', ({ ws }) => ws.close(4000, 'bye')],
		['that node terminates the connection', ({ ws }) => ws.terminate()],
		['its client breaks a limit', ({ client }) => flood(client)],
		['that node stops', ({ there }) => there.app.stop()],
		['that node stops without waiting', ({ there }) => there.app.stop({ graceMs: 0 })],
	])('%s', async (_, leave) => {
		const asked = await twoNodes({ limits: { messagesPerSecond: 10 } });
		const requests = [asked.ask(), asked.ask()];
		for (const request of requests) request.catch(() => {});
		await asked.client.received(2);

		await leave(asked);
		for (const request of requests) await expect(request).rejects.toMatchObject(DISCONNECTED);
		expect([...asked.here.log.problems, ...asked.there.log.errors]).toEqual([]);
	});

	it('its client is closed because it reads too slowly', { timeout: 20_000 }, async () => {
		const { request, overflow, slow } = await slowReader('close');
		overflow();
		await expect(request).rejects.toMatchObject(DISCONNECTED);
		slow.end();
	});

	it('that node stops while its client does not read', { timeout: 20_000 }, async () => {
		const { request, overflow, slow, there } = await slowReader('drop');
		overflow();
		await there.app.stop({ graceMs: 0 });
		await expect(request).rejects.toMatchObject(DISCONNECTED);
		slow.end();
	});

	it('the request arrives, if its client has left by then', async () => {
		const { here, there, client, socketId, ask } = await twoNodes();
		// The socket leaves after the first of two requests that arrive together.
		there.provider.onNodeMessage(() => void there.provider.removeConnection(socketId));
		const requests = [ask(), ask()];
		for (const request of requests) request.catch(() => {});

		for (const request of requests) await expect(request).rejects.toMatchObject(DISCONNECTED);
		expect(here.log.problems).toEqual([]);
		await client.close();
	});
});

describe('a request to a socket of another node', () => {
	it(
		'rejects, as on the same node, if it is dropped because its client reads too slowly',
		{ timeout: 20_000 },
		async () => {
			const { request, overflow, ask, slow, there } = await slowReader('drop');
			overflow();

			await expect(ask()).rejects.toMatchObject({ name: 'MessageDroppedError' });
			slow.resume();
			const { correlationId } = parse(slow.texts.find((text) => parse(text)['name'] === 'name') as string);
			slow.send(JSON.stringify({ type: '@reply', data: 'Ada', correlationId }));
			expect(await request).toBe('Ada');
			expect(there.log.errors.filter(({ message }) => message.includes('deliver'))).toEqual([]);
			slow.end();
		},
	);

	it('is sent in order with messages to that socket', async () => {
		const { here, client, socketId, ask } = await twoNodes();
		void here.app.socket.send(socketId, '{"name":"first"}');
		const request = ask();
		void here.app.socket.send(socketId, '{"name":"last"}');
		await client.received(3);

		expect(
			client.texts.map((text) => (parse(text)['name'] === '@text' ? parseFramed(text) : parse(text))['name']),
		).toEqual(['first', 'name', 'last']);
		sendTyped(client, '@reply', 'Ada', await nextRequest(client));
		expect(await request).toBe('Ada');
	});

	it('concerns no other socket that leaves', async () => {
		const { there, client, ask } = await twoNodes();
		const request = ask();
		const other = await connectSpeaker(there.url);
		const otherRequest = there.app.socket.request(String(there.sockets[1]?.data.socketId), Name, null);
		const left = expect(otherRequest).rejects.toMatchObject(DISCONNECTED);
		await other.close();
		await left;

		sendTyped(client, '@reply', 'Ada', await nextRequest(client));
		expect(await request).toBe('Ada');
	});

	it('is forgotten once it is replied to: the requesting node is not told when the client leaves', async () => {
		const { here, there, client, ask } = await twoNodes();
		const told: string[] = [];
		here.provider.onNodeMessage((text) => void told.push(text));
		const request = ask();
		sendTyped(client, '@reply', 'Ada', await nextRequest(client));
		expect(await request).toBe('Ada');
		await client.close();
		await until(() => there.provider.getConnectionCount() === 0, { what: 'the client has left' });
		// Messages between two nodes arrive in order.
		await there.provider.sendToNode(here.provider.nodeId, 'last');
		await until(() => told.includes('last'), { what: 'everything has arrived' });

		expect(told.filter((text) => text.startsWith('@left'))).toEqual([]);
	});

	it('is not forgotten because another client forges a reply to it', async () => {
		const { there, client, ask } = await twoNodes();
		const request = ask();
		const outcome = expect(request).rejects.toMatchObject(DISCONNECTED);
		const correlationId = await nextRequest(client);
		const forger = await connectSpeaker(there.url);
		sendTyped(forger, '@reply', 'Eve', correlationId);
		await allReceived(forger);

		await client.close();
		await outcome;
	});

	it('has a reply that does not count against the rate limit', async () => {
		const { there, client, ask } = await twoNodes({ limits: { messagesPerSecond: 5 } });
		for (let i = 0; i < 40; i++) {
			const request = ask();
			sendTyped(client, '@reply', 'Ada', await nextRequest(client));
			expect(await request).toBe('Ada');
		}
		expect([there.app.refusals.rate, there.app.refusals.flood]).toEqual([0, 0]);
	});

	it('is one of at most `pendingRequests` that are remembered for the socket; older ones can still be replied to', async () => {
		const backend = new MemoryBackend();
		const options = { limits: { pendingRequests: 2 } };
		const [a, b, there] = [
			await startNode(backend, options),
			await startNode(backend, options),
			await startNode(backend, options),
		];
		const client = await connectSpeaker(there.url);
		const socketId = String(there.sockets[0]?.data.socketId);
		const old = askFrom(a, socketId);
		const oldId = await nextRequest(client);
		const forgotten = askFrom(a, socketId);
		await nextRequest(client);
		const recent = [askFrom(b, socketId), askFrom(b, socketId)];
		for (const request of [forgotten, ...recent]) request.catch(() => {});
		await client.received(4);

		sendTyped(client, '@reply', 'Ada', oldId);
		expect(await old).toBe('Ada');
		await client.close();
		for (const request of recent) await expect(request).rejects.toMatchObject(DISCONNECTED);
		const outcome = await Promise.race([forgotten.catch((error: Error) => error.message), Bun.sleep(50)]);
		expect(outcome).toBeUndefined();
	});
});

function flood(client: TestClient): void {
	for (let i = 0; i < 100; i++) sendTyped(client, 'nothing');
}

/** Sends a request to a client of another node that then stops reading. `overflow` fills its queue. */
async function slowReader(slowReaders: 'close' | 'drop') {
	const backend = new MemoryBackend();
	const options: WebSocketOptions = { slowReaders, limits: { queuedBytes: 256 * 1024 } };
	const [here, there] = [await startNode(backend, options), await startNode(backend, options)];
	const slow = await connectRawWebSocket(Number(new URL(there.url).port));
	await until(() => there.sockets.length > 0, { what: 'the client is connected' });
	const socketId = String(there.sockets[0]?.data.socketId);
	const ask = () => askFrom(here, socketId);
	const request = ask();
	request.catch(() => {});
	await until(() => slow.texts.length > 0, { what: 'the request has arrived' });
	slow.pause();
	return {
		slow,
		there,
		request,
		ask,
		overflow(): void {
			// Far more than the buffers of the kernel can hold.
			for (let sent = 0; sent < 640; sent++) there.app.socket.send(socketId, '"x"'.padEnd(65_536)).catch(() => {});
		},
	};
}

async function startNode(backend: MemoryBackend, options: WebSocketOptions = { limits: { pendingRequests: 2 } }) {
	const log = new RecordingLogger();
	const sockets: AppSocket[] = [];
	const provider = new WsProvider({ bus: backend.createBus(), logger: log });
	const app = new Application({ logger: log })
		.websocket(provider, options)
		.socketRouter(new SocketRouter())
		.onWebSocket({ open: (ws) => void sockets.push(ws) });
	return { app, provider, log, sockets, url: (await serve(app)).ws };
}
