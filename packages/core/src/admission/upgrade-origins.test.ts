import { connectClient, RecordingLogger } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { handshake, serve } from '../test-support/serve.ts';

/** The addresses from which the tests connect. */
const LOOPBACK = ['127.0.0.0/8', '::1'];
const EVIL = 'https://evil.example';

describe('an upgrade request from a page of another origin', () => {
	it('gets 403, is counted and logged with its origin, and does not reach upgrade()', async () => {
		const logger = new RecordingLogger();
		let asked = 0;
		const app = new Application({ logger }).websocket({ upgrade: () => ({ asked: ++asked }) });
		const refused = await handshake(await serve(app), '/ws', { origin: EVIL });

		expect([refused.status, await refused.text()]).toEqual([403, 'This origin may not connect']);
		expect([asked, app.refusals.origin]).toEqual([0, 1]);
		expect(logger.lines).toEqual([
			{
				level: 'warn',
				message: 'Upgrades rejected: the page is from another origin (403)',
				details: {
					count: 1,
					address: expect.any(String) as string,
					compared: expect.stringContaining(
						`Origin "${EVIL}" is not that of the server: Host is "localhost:`,
					) as string,
					fix: expect.stringContaining(`if the page is yours, set allowedOrigins: ["${EVIL}"]`) as string,
				},
			},
		]);
	});

	it('does not affect pages of the same or an allowed origin, or programs, which send no origin', async () => {
		const own = await serve(new Application().websocket());
		await connectClient(own.ws, { headers: { origin: own.http } });
		await connectClient(own.ws, { headers: { origin: 'https://app.example.com', host: 'app.example.com' } });
		await connectClient(own.ws);

		const listed = await serve(
			new Application({ logger: new RecordingLogger() }).websocket({ allowedOrigins: ['https://*.example.com'] }),
		);
		await connectClient(listed.ws, { headers: { origin: 'https://app.example.com' } });
		await connectClient(listed.ws);
		expect((await handshake(listed, '/ws', { origin: listed.http })).status).toBe(403);
	});
});

describe('X-Forwarded-Host', () => {
	const forwarded = { origin: EVIL, 'x-forwarded-host': 'evil.example' };

	it('is not trusted by default', async () => {
		const address = await serve(new Application({ logger: new RecordingLogger() }).websocket());
		expect((await handshake(address, '/ws', forwarded)).status).toBe(403);

		const elsewhere = new Application({ logger: new RecordingLogger() }).websocket({ trustedProxies: ['10.0.0.0/8'] });
		expect((await handshake(await serve(elsewhere), '/ws', forwarded)).status).toBe(403);
	});

	it('of a trusted proxy has the server’s public host in its first entry', async () => {
		const app = new Application({ logger: new RecordingLogger() }).websocket({ trustedProxies: LOOPBACK });
		const address = await serve(app);
		const headers = { origin: 'https://app.example.com', 'x-forwarded-host': 'app.example.com, inner.example' };

		await connectClient(address.ws, { headers });
		expect((await handshake(address, '/ws', { ...headers, origin: address.http })).status).toBe(403);
		expect((await handshake(address, '/ws', { ...headers, origin: 'https://inner.example' })).status).toBe(403);
	});
});
