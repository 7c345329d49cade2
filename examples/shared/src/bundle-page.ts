import type { Routes } from '@orijs/core';
import { fileURLToPath } from 'node:url';

/**
 * Allows only content from this server, and no inline scripts. Even if text from users became markup, it could not run.
 */
const HEADERS = {
	'Content-Security-Policy':
		"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
		"base-uri 'none'; frame-ancestors 'none'",
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
};

/**
 * Bundles a page with its scripts and styles into routes: `index.html` at `/`, `admin.html` at `/admin`. Importing the
 * HTML file would bundle the page too, but without a way to set headers.
 *
 * @param html the URL of the page's HTML file
 */
export async function bundlePage(html: URL): Promise<Routes> {
	const { outputs } = await Bun.build({
		entrypoints: [fileURLToPath(html)],
		conditions: ['@orijs/source'],
		minify: true,
		publicPath: '/',
	});
	const routes: Record<string, Response> = {};
	for (const output of outputs) {
		const path = output.path.replace(/^\.\//, '/');
		const headers = { ...HEADERS, 'Content-Type': output.type };
		routes[path.replace(/(?:index)?\.html$/, '')] = new Response(await output.arrayBuffer(), { headers });
	}
	return routes;
}
