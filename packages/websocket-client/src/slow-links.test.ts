import { startTcpProxy, type TcpProxy, until } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket/protocol';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { type ConnectionEnd, SocketClient } from './index.ts';
import { WhoAreYou } from './test-support/messages.ts';
import { type RawServer, startRawServer } from './test-support/raw-server.ts';

const Upload = SocketMessage.define({ name: 'upload', data: z.string() });

const MB = 1_000_000;
const TIMEOUT_MS = 1_000;

interface Link {
	readonly server: RawServer;
	readonly proxy: TcpProxy;
	readonly client: SocketClient;
	/** How the connections of the client have ended. */
	readonly ends: readonly ConnectionEnd[];
}

/** Connects a client through a proxy. Only the tests ping, with a timeout that is short for what the link will do. */
async function connectedLink(options: { holdBytes?: number } = {}): Promise<Link> {
	const server = startRawServer({});
	const proxy = await startTcpProxy({ port: server.port, ...options });
	const client = new SocketClient(`ws://127.0.0.1:${proxy.port}`, {
		heartbeat: { intervalMs: 60_000 },
		queue: { messages: 100, characters: 100 * MB },
	});
	client.onError(() => {});
	onTestFinished(async () => {
		await client.close();
		await proxy.stop();
		await server.stop();
	});
	const ends: ConnectionEnd[] = [];
	client.onStateChange((_, { end }) => end !== undefined && ends.push(end));
	await client.connect();
	return { server, proxy, client, ends };
}

it('a connection lives while the answer to a ping waits behind a slow download', async () => {
	const { server, proxy, client, ends } = await connectedLink();
	let received = 0;
	client.onRaw((data) => (received += (data as string).length));
	proxy.throttle(2 * MB);
	for (let i = 0; i < 600; i++) server.send('x'.repeat(MB / 100));
	const roundTripMs = await client.ping({ timeoutMs: TIMEOUT_MS });
	await until(() => received === 6 * MB, { what: 'everything has arrived' });
	expect(ends).toEqual([]);
	expect(roundTripMs).toBeGreaterThan(2 * TIMEOUT_MS);
});

it('a connection lives while a ping waits behind a slow upload', async () => {
	const { proxy, client, ends } = await connectedLink();
	proxy.throttle(10 * MB, 'toServer');
	// More than the operating system buffers, so that the ping has to wait in the client.
	await client.send(Upload, 'x'.repeat(30 * MB));
	const roundTripMs = await client.ping({ timeoutMs: TIMEOUT_MS });
	expect(ends).toEqual([]);
	expect(roundTripMs).toBeGreaterThan(2 * TIMEOUT_MS);
});

it('an upload that grows faster than it is written still counts as written', async () => {
	const { server, proxy, client, ends } = await connectedLink();
	client.handle(WhoAreYou, async () => {
		// The ping's first timeout has passed, and no frame arrives before the second one.
		await Bun.sleep(1.5 * TIMEOUT_MS);
		return 'x'.repeat(20 * MB);
	});
	proxy.throttle(10 * MB, 'toServer');
	await client.send(Upload, 'x'.repeat(30 * MB));
	const pinged = client.ping({ timeoutMs: TIMEOUT_MS });
	server.send(JSON.stringify({ name: WhoAreYou.name, data: '', timestamp: Date.now(), correlationId: '1' }));
	expect(await pinged).toBeGreaterThan(2 * TIMEOUT_MS);
	expect(ends).toEqual([]);
});

it('a connection on which an upload comes to a halt is dead', async () => {
	const { proxy, client, ends } = await connectedLink({ holdBytes: 0 });
	proxy.freeze(() => true);
	await client.send(Upload, 'x'.repeat(30 * MB));
	await expect(client.ping({ timeoutMs: TIMEOUT_MS })).rejects.toThrow(/disconnected/);
	await until(() => ends.length > 0, { what: 'the loss is noticed' });
	expect(ends[0]).toEqual({ code: 4000, reason: `the server did not answer for ${TIMEOUT_MS} ms` });
});
