import { type LogLine, RecordingLogger } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, type WebSocketOptions } from '../index.ts';
import { handshake, serve } from '../test-support/serve.ts';

const PAGE = 'https://app.example.com';
const LOOPBACK = ['127.0.0.0/8', '::1'];

const OR_PASS_ON =
	', or if a proxy in front replaces the host, have it pass on Host unchanged (nginx: proxy_set_header Host $http_host)';

describe('the log line of a refused page names what was compared, and the fix, where', () => {
	it('a proxy in front replaces the Host', async () => {
		expect(await refusal({ origin: PAGE, host: 'backend:3000' })).toEqual({
			compared: `Origin "${PAGE}" is not that of the server: Host is "backend:3000"`,
			fix: `if the page is yours, set allowedOrigins: ["${PAGE}"]${OR_PASS_ON}`,
		});
	});

	it('a proxy in front drops the port', async () => {
		expect(await refusal({ origin: `${PAGE}:8443`, host: 'app.example.com' })).toEqual({
			compared: `Origin "${PAGE}:8443" is not that of the server: Host is "app.example.com"`,
			fix:
				'if a proxy in front drops the port, have it pass on Host unchanged (nginx: proxy_set_header Host $http_host); ' +
				`if a development server serves the page, set allowedOrigins: ["${PAGE}:8443"]`,
		});
	});

	it('a development server on another port serves the page', async () => {
		expect(await refusal({ origin: 'http://localhost:5173', host: 'localhost:3000' })).toEqual({
			compared: 'Origin "http://localhost:5173" is not that of the server: Host is "localhost:3000"',
			fix:
				'if the page is yours, for example from a development server on another port, ' +
				`set allowedOrigins: ["http://localhost:5173"]${OR_PASS_ON}`,
		});
	});

	it.each([
		['http://localhost:3000', '127.0.0.1:3000'],
		['http://127.0.0.1:3000', 'localhost:3000'],
		['http://[::1]:3000', 'localhost:3000'],
		['http://localhost:5173', '[::1]:3000'],
	])('the page is at %s and connects to %s', async (origin, host) => {
		expect(await refusal({ origin, host })).toEqual({
			compared: `Origin "${origin}" is not that of the server: Host is "${host}"`,
			fix: `open the page at "${host}", or connect to the host of the page, or set allowedOrigins: ["${origin}"]${OR_PASS_ON}`,
		});
	});

	it('X-Forwarded-Host comes from a proxy that is not trusted', async () => {
		const headers = { origin: PAGE, host: 'backend:3000', 'x-forwarded-host': 'app.example.com' };
		const { compared, fix } = await refusal(headers);
		expect(compared).toBe(`Origin "${PAGE}" is not that of the server: Host is "backend:3000"`);
		const [, peer = ''] =
			/^X-Forwarded-Host is "app\.example\.com"; if it comes from your proxy, set trustedProxies: \["(.*)"\]$/.exec(
				fix,
			) ?? [];
		expect(peer).toMatch(/^(127\.0\.0\.1|::1)$/);
		// The fix works.
		const app = new Application().websocket({ trustedProxies: [peer] });
		const address = await serve(app);
		expect((await handshake(address, '/ws', headers)).status).toBe(101);
	});

	it('X-Forwarded-Host of an untrusted proxy would not help', async () => {
		const { fix } = await refusal({ origin: PAGE, host: 'backend', 'x-forwarded-host': 'other.example' });
		expect(fix).toContain(`set allowedOrigins: ["${PAGE}"]`);
		expect(fix).not.toContain('trustedProxies');
	});

	it('a trusted proxy gives another host', async () => {
		const headers = { origin: PAGE, host: 'app.example.com', 'x-forwarded-host': 'inner.example, app.example.com' };
		expect(await refusal(headers, { trustedProxies: LOOPBACK })).toEqual({
			compared: `Origin "${PAGE}" is not that of the server: X-Forwarded-Host is "inner.example"`,
			fix:
				`if the page is yours, set allowedOrigins: ["${PAGE}"], or if a proxy in front replaces the host, ` +
				'have it pass on X-Forwarded-Host unchanged (nginx: proxy_set_header X-Forwarded-Host $http_host)',
		});
	});

	it('there is a list of origins', async () => {
		expect(await refusal({ origin: PAGE }, { allowedOrigins: ['https://other.example'] })).toEqual({
			compared: `Origin "${PAGE}" is not in allowedOrigins`,
			fix: `if the page is yours, add "${PAGE}" to allowedOrigins`,
		});
	});

	it.each(['null', 'file://', 'not an origin'])('the page has no host: %s', async (origin) => {
		const { fix } = await refusal({ origin });
		expect(fix).toBe("a page without a host can connect only with allowedOrigins: ['*']");
	});
});

describe('the log line of a refused page', () => {
	it('has a bounded length, and control characters of headers escaped', async () => {
		const long = 'x'.repeat(3_000);
		const { compared, fix } = await refusal({
			origin: `https://${long}.example`,
			host: `${long}.other`,
			'x-forwarded-host': `${long}\t${long}`,
		});
		for (const text of [compared, fix]) {
			expect(text.length).toBeLessThan(500);
			expect(text).not.toMatch(/[\p{Cc}]/u);
		}
	});

	it('is one for many refused pages at once', async () => {
		const logger = new RecordingLogger();
		const address = await serve(new Application({ logger }).websocket());
		await Promise.all(Array.from({ length: 20 }, () => handshake(address, '/ws', { origin: PAGE })));
		expect(logger.lines.length).toBe(1);
	});
});

describe('X-Forwarded-Proto', () => {
	it('makes no difference: schemes are not compared', async () => {
		const address = await serve(new Application().websocket());
		for (const proto of ['http', 'https']) {
			const headers = { origin: PAGE, host: 'app.example.com', 'x-forwarded-proto': proto };
			expect((await handshake(address, '/ws', headers)).status).toBe(101);
		}
	});
});

/** Sends a handshake that is refused because of its origin. Returns the explanation in the log. */
async function refusal(
	headers: Record<string, string>,
	options: WebSocketOptions = {},
): Promise<{ compared: string; fix: string }> {
	const logger = new RecordingLogger();
	const address = await serve(new Application({ logger }).websocket(options));
	expect((await handshake(address, '/ws', headers)).status).toBe(403);
	expect(logger.lines.length).toBe(1);
	const { compared, fix } = (logger.lines[0] as LogLine).details as { compared: string; fix: string };
	return { compared, fix };
}
