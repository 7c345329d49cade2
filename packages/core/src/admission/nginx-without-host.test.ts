import { connectClient, type LogLine, RecordingLogger } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Application, type WebSocketOptions } from '../index.ts';
import { nginx } from '../test-support/front-ends.ts';

const PAGE = 'https://app.example.com:8443';

describe('behind an nginx that does not pass on the Host, a page is refused', () => {
	it.each([
		[
			'by default',
			'',
			/^"127\.0\.0\.1:\d+"$/,
			`set allowedOrigins: ["${PAGE}"], or if a proxy in front replaces the host`,
		],
		[
			'with $host, which has no port',
			'proxy_set_header Host $host;',
			/^"app\.example\.com"$/,
			'if a proxy in front drops the port',
		],
	])('%s, with one log line that names both sides and the fix, which works', async (_, directive, host, fix) => {
		const { logger, connect, port } = await behindNginx(directive);

		await expect(connect()).rejects.toThrow('403');
		expect(logger.lines.map(({ message }) => message)).toEqual([
			'Upgrades rejected: the page is from another origin (403)',
		]);
		const { compared, fix: advice } = (logger.lines[0] as LogLine).details as { compared: string; fix: string };
		const [origin, server = ''] = compared.split(' is not that of the server: Host is ');
		expect(origin).toBe(`Origin "${PAGE}"`);
		expect(server).toMatch(host);
		expect(advice).toContain(fix);
		expect(advice).toContain('have it pass on Host unchanged (nginx: proxy_set_header Host $http_host)');

		// Both fixes work.
		const passedOn = await nginx(`127.0.0.1:${port}`, 'proxy_set_header Host $http_host;');
		await connectPage(passedOn);
		await (await behindNginx(directive, { allowedOrigins: [PAGE] })).connect();
	});

	it('unless it passes on X-Forwarded-Host and is trusted', async () => {
		const directive = 'proxy_set_header X-Forwarded-Host $http_host;';
		const untrusted = await behindNginx(directive);
		await expect(untrusted.connect()).rejects.toThrow('403');
		expect(untrusted.logger.lines[0]?.details).toMatchObject({
			fix: `X-Forwarded-Host is "${PAGE.slice(8)}"; if it comes from your proxy, set trustedProxies: ["127.0.0.1"]`,
		});

		await (await behindNginx(directive, { trustedProxies: ['127.0.0.1'] })).connect();
	});

	it('but not with $host, if the page uses the default port', async () => {
		const { port } = await behindNginx('proxy_set_header Host $host;');
		await connectPage(await nginx(`127.0.0.1:${port}`, 'proxy_set_header Host $host;'), 'https://app.example.com');
	});
});

/** Serves an application behind an nginx with a further directive. */
async function behindNginx(directive: string, options: WebSocketOptions = {}) {
	const logger = new RecordingLogger();
	const app = new Application({ logger }).websocket(options);
	onTestFinished(() => app.stop());
	const { port } = await app.listen({ port: 0, hostname: '127.0.0.1' });
	const front = await nginx(`127.0.0.1:${port}`, directive);
	return { logger, port, connect: () => connectPage(front) };
}

/** Connects as a page that a browser has loaded from this origin. */
async function connectPage(port: number, origin = PAGE): Promise<void> {
	await connectClient(`ws://127.0.0.1:${port}/ws`, { headers: { origin, host: new URL(origin).host } });
}
