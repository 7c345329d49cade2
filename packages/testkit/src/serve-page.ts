import { fileURLToPath } from 'node:url';

export interface ServedPage {
	/**
	 * The page's URL, `http://127.0.0.1:{port}/`. A query can be appended, which the script can read from
	 * `location.search`.
	 */
	readonly url: string;
	/** Stops serving the page. Can be called more than once. */
	stop(): Promise<void>;
}

const HTML = `<!doctype html>
<meta charset="utf-8">
<title>test page</title>
<link rel="icon" href="data:,">
<script type="module" src="/entry.js"></script>
`;

/**
 * Serves an empty page that runs a TypeScript file, which is bundled with the sources of this repository's packages.
 * Rejects if bundling fails.
 */
export async function servePage(entrypoint: string | URL): Promise<ServedPage> {
	const script = await bundle(entrypoint instanceof URL ? fileURLToPath(entrypoint) : entrypoint);
	const server = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		routes: {
			'/': () => new Response(HTML, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
			'/entry.js': () => new Response(script, { headers: { 'content-type': 'text/javascript; charset=utf-8' } }),
		},
		fetch: () => new Response('not found', { status: 404 }),
	});
	return { url: server.url.href, stop: () => server.stop(true) };
}

async function bundle(entrypoint: string): Promise<string> {
	const { outputs } = await Bun.build({
		entrypoints: [entrypoint],
		target: 'browser',
		conditions: ['@orijs/source'],
		sourcemap: 'inline',
		// Bun's `node:assert` for browsers reads these when an assertion fails.
		define: { 'process.stderr': 'undefined', 'process.emitWarning': 'undefined' },
	});
	const [script] = outputs;
	if (script === undefined) throw new Error(`bundling ${entrypoint} produced no script`);
	return script.text();
}
