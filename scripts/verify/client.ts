import { join } from 'node:path';
import { run } from '../lib/run.ts';

/** The settings of a page's project: it has the types of browsers, but not those of Bun or Node. */
const tsconfig = {
	compilerOptions: {
		lib: ['ES2022', 'DOM'],
		target: 'ES2022',
		module: 'Preserve',
		moduleResolution: 'bundler',
		types: [],
		noEmit: true,
		strict: true,
		skipLibCheck: false,
	},
	files: ['client.ts'],
};

export async function typecheckForBrowsers(dir: string): Promise<void> {
	const project = join(dir, 'browser');
	await Bun.write(join(project, 'tsconfig.json'), JSON.stringify(tsconfig));
	await Bun.write(
		join(project, 'client.ts'),
		"export * from '@orijs/websocket-client';\nexport { validate } from '@orijs/websocket/protocol';\n",
	);
	await run([join(dir, 'node_modules/.bin/tsc'), '-p', project], dir);
}

const server = `
import { Application, SocketRouter } from '@orijs/core';
import { Ask } from './ask.js';

const app = new Application({ signals: false })
	.websocket({ authorize: { subscribe: () => true } })
	.socketRouter(new SocketRouter().on(Ask, async (ctx) => {
		await ctx.emit(Ask, 'asked', ctx.data);
		return ctx.data;
	}));
const { port } = await app.listen(0);

const client = Bun.spawn([...process.argv.slice(2), 'client.mjs', 'http://localhost:' + port + '/ws'], {
	stdio: ['ignore', 'inherit', 'inherit'],
	timeout: 60_000,
});
const code = await client.exited;
await app.stop();
process.exit(code);
`;

/** A message definition whose schema is written by hand, so that no schema library has to be installed. */
const ask = `
import { SocketMessage } from '@orijs/websocket/protocol';

const schema = { '~standard': { version: 1, vendor: 'none', validate: (value) => ({ value }) } };
export const Ask = SocketMessage.define({ name: 'ask', data: schema, reply: schema });
`;

const client = `
import { SocketClient } from '@orijs/websocket-client';
import { Ask } from './ask.js';

const [url, major] = [process.argv[2], process.versions.node.split('.')[0]];
// Node has no global WebSocket before version 22.
const options = globalThis.WebSocket === undefined ? { WebSocket: (await import('ws')).WebSocket } : {};
if ((major === '20') !== ('WebSocket' in options)) throw new Error('unexpected on Node ' + major);

const lost = new SocketClient(url.replace('/ws', '/live'), { ...options, reconnect: { minDelayMs: 1 } });
const report = await new Promise((resolve) => {
	lost.onError((error) => resolve(error.message));
	lost.connect().catch(() => {});
});
if (!report.includes('HTTP 404')) throw new Error('reported: ' + report);
await lost.close();

if (options.WebSocket !== undefined) {
	const error = await new SocketClient(url).connect().catch((reason) => reason);
	if (error.name !== 'InvalidClientOptionError' || !error.message.includes('the package ws')) throw error;
}
// Where a page is rendered, a client with a relative URL is created, but can't connect.
const rendered = new SocketClient('/ws', options);
if (rendered.url !== '/ws' || rendered.state !== 'idle') throw new Error('a relative URL became ' + rendered.url);
const refused = await rendered.connect().catch((reason) => reason.name);
if (refused !== 'InvalidClientOptionError') throw new Error('connected to a relative URL: ' + refused);

const client = new SocketClient(url, options);
await client.connect();
let resolve;
const received = new Promise((done) => (resolve = done));
await client.subscribe('asked', { onMessage: resolve });
const answer = await client.request(Ask, 'hello');
const message = await received;
if (answer !== 'hello' || message !== 'hello') throw new Error('answered ' + answer + ', received ' + message);
await client.close();
`;

/**
 * Runs the built client on Node against an application on Bun: with the class of the package `ws` on Node 20, and with
 * the global `WebSocket` on Node 22. Checks that the process exits once the client is closed.
 */
export async function runClientOnNode(dir: string, major: 20 | 22): Promise<void> {
	await Bun.write(join(dir, 'ask.js'), ask);
	await Bun.write(join(dir, 'client.mjs'), client);
	await Bun.write(join(dir, 'server.ts'), server);
	await run([process.execPath, 'server.ts', ...nodeOf(major)], dir);
}

/** Returns the command for a version of Node: the one on PATH, or else one that npx downloads and keeps. */
function nodeOf(major: number): string[] {
	const { stdout } = Bun.spawnSync(['node', '--version']);
	if (stdout.toString().startsWith(`v${major}.`)) return ['node'];
	return ['npx', '--yes', `--package=node@${major}`, 'node'];
}
