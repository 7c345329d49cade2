import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { InvalidClientOptionError, SocketClient } from './index.ts';
import { isSettled } from './test-support/assertions.ts';
import { LocalTestServer } from './test-support/local-test-server.ts';

const { WebSocket } = globalThis;

/** A server that renders pages has no location. On Node before version 22, it has no WebSocket either. */
beforeEach(() => void vi.stubGlobal('WebSocket', undefined));
afterEach(() => void vi.unstubAllGlobals());

it('a client with a relative URL can be created, used and closed, but not connected', async () => {
	const client = new SocketClient('/ws', { WebSocket });
	expect([client.url, client.state]).toEqual(['/ws', 'idle']);
	const subscribed = client.subscribe('t');
	await expect(client.connect()).rejects.toThrow(InvalidClientOptionError);
	await expect(client.connect()).rejects.toThrow('the URL must be like wss://example.com/ws, without #, not "/ws"');
	expect(client.state).toBe('idle');
	expect(await isSettled(subscribed)).toBe(false);
	await client.close();
	await expect(subscribed).rejects.toThrow('The client is closed');
});

it('a client without a WebSocket class can be created, but not connected', async () => {
	const client = new SocketClient('wss://example.com/ws');
	const connected = client.connect();
	await expect(connected).rejects.toThrow(InvalidClientOptionError);
	await expect(connected).rejects.toThrow('WebSocket must be given, such as that of the package ws, not undefined');
	expect(client.state).toBe('idle');
	await client.close();
});

it('the option WebSocket makes up for the missing global', async () => {
	const server = await LocalTestServer.start();
	await server.serve();
	const client = new SocketClient(server.url, { WebSocket });
	const connected = client.connect();
	// The server is in this process, and needs the global.
	vi.unstubAllGlobals();
	try {
		await connected;
		expect(client.state).toBe('ready');
	} finally {
		await client.close();
		await server.end();
	}
});
