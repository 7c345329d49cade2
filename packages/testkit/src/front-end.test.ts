import { expect, onTestFinished, test } from 'vitest';
import { startCaddy } from './caddy.ts';
import { FrontEndStartError } from './front-end.ts';
import { startNginx } from './nginx.ts';

const starts = [
	['nginx', startNginx, (to: number) => `proxy_pass http://127.0.0.1:${to};`],
	['Caddy', startCaddy, (to: number) => `reverse_proxy 127.0.0.1:${to}`],
] as const;

test.each(starts)('%s passes requests on until it is stopped', async (_, start, passOn) => {
	const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('from behind') });
	onTestFinished(() => server.stop(true));
	const frontEnd = await start(passOn(server.port ?? 0));
	onTestFinished(() => frontEnd.stop());

	expect(frontEnd.url).toBe(`http://127.0.0.1:${frontEnd.port}`);
	expect(await (await fetch(frontEnd.url)).text()).toBe('from behind');
	await frontEnd.stop();
	await frontEnd.stop();
	await expect(fetch(frontEnd.url)).rejects.toThrow();
});

test.each(starts)(
	'%s does not start with an invalid configuration, and the error contains its log',
	async (_, start) => {
		const starting = start('no_such_directive on;');
		await expect(starting).rejects.toThrow(FrontEndStartError);
		await expect(starting).rejects.toThrow('no_such_directive');
	},
);
