import { connectSpeaker, RecordingLogger, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Application, SocketRouter, type WebSocketOptions } from '../index.ts';
import { WAYS, type Way } from '../test-support/front-ends.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';

const EVIL = 'https://evil.example';

describe.each(Object.entries(WAYS))('an application that clients reach %s', (_, way) => {
	it('admits pages of the host that the browser asked for, and no others', async () => {
		const { app, port } = await served(way());
		const url = `ws://127.0.0.1:${port}/ws`;

		await connectSpeaker(url, { headers: { origin: `http://127.0.0.1:${port}` } });
		for (const host of ['app.example.com', 'app.example.com:8443']) {
			await connectSpeaker(url, { headers: { host, origin: `https://${host}` } });
		}
		for (const origin of [EVIL, 'http://127.0.0.1:1']) {
			await expect(connectSpeaker(url, { headers: { origin } })).rejects.toThrow('403');
		}
		const forged = { origin: EVIL, 'x-forwarded-for': '10.0.0.1' };
		await expect(connectSpeaker(url, { headers: forged })).rejects.toThrow('403');
		expect(app.refusals.origin).toBe(3);
	});

	it('behaves as without a proxy: handshake, subprotocol, cookies, compression offers, text, bytes, close', async () => {
		const { port, closed } = await served(way(), {
			subprotocol: ['v2'],
			upgrade(req, { headers }) {
				headers.append('Set-Cookie', 'seen=1');
				headers.append('Set-Cookie', 'last=2');
				return { session: req.cookies.get('session') };
			},
		});
		const browser = {
			origin: `http://127.0.0.1:${port}`,
			cookie: 'session=s3',
			'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0',
			'accept-language': 'en',
			'cache-control': 'no-cache',
			pragma: 'no-cache',
		};

		const client = await connectSpeaker(`ws://127.0.0.1:${port}/ws/`, { headers: browser, protocols: ['v1', 'v2'] });
		expect([client.protocol, await client.next()]).toEqual(['v2', '{"session":"s3"}']);
		const bytes = Uint8Array.from({ length: 60_000 }, (_, index) => index % 251);
		for (const message of ['', 'grüße', 'x'.repeat(60_000), bytes]) {
			client.send(message);
			expect(await client.next()).toEqual(message);
		}
		await client.close(4000, 'done');
		await until(() => closed.length === 1, { what: 'the close handler has run' });
		expect(closed).toEqual([[4000, 'done']]);

		const handshake = await fetch(`http://127.0.0.1:${port}/ws`, {
			headers: {
				connection: 'Upgrade',
				upgrade: 'websocket',
				'sec-websocket-version': '13',
				'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
			},
		});
		expect([handshake.status, handshake.headers.getSetCookie()]).toEqual([101, ['seen=1', 'last=2']]);
		expect((await fetch(`http://127.0.0.1:${port}/ws`)).status).toBe(426);
	});

	// On Linux, all addresses of 127.0.0.0/8 are loopback.
	it.skipIf(process.platform !== 'linux')('knows the addresses of its clients, which cannot forge them', async () => {
		const addresses: string[] = [];
		const { app, port } = await served(way(), { limits: { connectionsPerAddress: 1 } }, addresses);
		const connect = async (localAddress: string, forwarded: string): Promise<void> => {
			const client = await connectRawWebSocket(port, {
				localAddress,
				headers: { 'X-Forwarded-For': forwarded, 'X-Forwarded-Host': 'forged.example' },
			});
			client.send('{"type":"@auth"}');
		};

		await connect('127.0.0.7', '203.0.113.1');
		await connect('127.0.0.8', '127.0.0.7, 203.0.113.2');
		await until(() => addresses.length === 2, { what: 'two guards have run' });
		expect(addresses.toSorted()).toEqual(['127.0.0.7', '127.0.0.8']);
		await expect(connect('127.0.0.8', '203.0.113.3')).rejects.toThrow('429');
		expect(app.refusals.connectionsPerAddress).toBe(1);
	});

	it('closes its clients with 1012 when it stops, with a hint about when to reconnect', async () => {
		const { app, port } = await served(way());
		const clients = await Promise.all([1, 2, 3].map(() => connectSpeaker(`ws://127.0.0.1:${port}/ws`)));

		await app.stop();
		for (const client of clients) {
			expect(await client.closed).toEqual({
				code: 1012,
				reason: expect.stringContaining('retry-after-ms=') as string,
			});
		}
	});
});

describe('connections on which nothing is sent', () => {
	it('outlive the read timeout of a proxy that is longer than the interval of pings', async () => {
		// Half of the idle timeout passes between two pings.
		const options: WebSocketOptions = { limits: { idleTimeoutMs: 8_000 } };
		const clients = await Promise.all(
			Object.values(WAYS).map(async (way) => {
				const { port } = await served(way(), options, undefined, '6s');
				return connectRawWebSocket(port, { answersPings: true });
			}),
		);

		await until(() => clients.every(({ pings }) => pings >= 2), { what: 'all are pinged twice', timeoutMs: 18_000 });
		for (const client of clients) client.send('still here');
		await until(() => clients.every(({ texts }) => texts.includes('still here')), { what: 'all are answered' });
	});

	it('are ended by a shorter read timeout of the proxy, and leave nothing behind', async () => {
		// Caddy applies its read timeout to TCP connections only.
		const ways = ['behind nginx', 'behind nginx on a Unix socket', 'behind Caddy'] as const;
		await Promise.all(
			ways
				.map((name) => WAYS[name])
				.map(async (way) => {
					const { port, provider, closed } = await served(way(), {}, undefined, '1s');
					const client = await connectSpeaker(`ws://127.0.0.1:${port}/ws`);
					expect(await client.closed).toMatchObject({ code: 1006 });
					await until(() => closed.length === 1, { what: 'the close handler has run' });
					expect([closed, provider.getConnectionCount()]).toEqual([[[1006, '']], 0]);
				}),
		);
	});
});

/**
 * Serves an application that sends each client its data, if there is any, and echoes messages.
 *
 * @param addresses receives the addresses of clients as guards see them; if undefined, there are no guards
 */
async function served(way: Way, options: WebSocketOptions = {}, addresses?: string[], readTimeout?: string) {
	const { at, trustedProxies, start } = way;
	const closed: [number, string][] = [];
	const logger = new RecordingLogger();
	const provider = new InProcWsProvider({ logger });
	const app: Application = new Application({ logger }).websocket(provider, {
		trustedProxies,
		...options,
	});
	app.onWebSocket({
		open: (ws) => void (Object.keys(ws.data.data).length > 0 && ws.send(JSON.stringify(ws.data.data))),
		message: (ws, message) => void ws.send(message),
		close: (_, code, reason) => void closed.push([code, reason]),
	});
	if (addresses !== undefined) {
		app.socketRouter(new SocketRouter().guard((ctx) => addresses.push(ctx.remoteAddress) > 0));
	}
	onTestFinished(() => app.stop());
	const { port } = await app.listen(at);
	return { app, provider, closed, port: await start(port, readTimeout) };
}
