import type { Routes } from '@orijs/core';
import { fileURLToPath } from 'node:url';

/** Nothing but what comes from this server, and no script within the page: what users write stays text even if it should get past us. */
const HEADERS = {
	'Content-Security-Policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'",
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
};

/** Bundles the page with its parts. An import of the HTML file would do that as well, but its responses can't be given headers. */
export async function bundlePage(): Promise<Routes> {
	const { outputs } = await Bun.build({
		entrypoints: [fileURLToPath(new URL('page/index.html', import.meta.url))],
		conditions: ['@orijs/source'],
		minify: true,
		publicPath: '/',
	});
	const routes: Record<string, Response> = {};
	for (const output of outputs) {
		const path = output.path.replace(/^\.\//, '/');
		const headers = { ...HEADERS, 'Content-Type': output.type };
		routes[path === '/index.html' ? '/' : path] = new Response(await output.arrayBuffer(), { headers });
	}
	return routes;
}
