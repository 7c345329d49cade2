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

let code = 0;
for (const args of [['--experimental-websocket', 'client.mjs'], ['--no-experimental-websocket', 'ws.mjs']]) {
	const client = Bun.spawn(['node', '--no-warnings', ...args, 'http://localhost:' + port + '/ws'], {
		stdio: ['ignore', 'inherit', 'inherit'],
		timeout: 20_000,
	});
	code ||= (await client.exited) ?? 1;
}
await app.stop();
process.exit(code);
`;

/** A message definition whose schema is written by hand, so that no schema library has to be installed. */
const ask = `
import { SocketMessage } from '@orijs/websocket/protocol';

const schema = { '~standard': { version: 1, vendor: 'none', validate: (value) => ({ value }) } };
export const Ask = SocketMessage.define({ name: 'ask', data: schema, reply: schema });
`;

/** The rest of a program that has created a `client`. */
const conversation = `
await client.connect();
let resolve;
const received = new Promise((done) => (resolve = done));
await client.subscribe('asked', { onMessage: resolve });
const answer = await client.request(Ask, 'hello');
const message = await received;
if (answer !== 'hello' || message !== 'hello') throw new Error('answered ' + answer + ', received ' + message);
await client.close();
`;

const imports = `
import { SocketClient } from '@orijs/websocket-client';
import { Ask } from './ask.js';
`;

const client = `${imports}
const client = new SocketClient(process.argv[2]);
${conversation}`;

/** The same without a global WebSocket, as on Node 20 and on servers that render pages. */
const clientWithWs = `${imports}
import { WebSocket } from 'ws';

if (globalThis.WebSocket !== undefined) throw new Error('there is a global WebSocket');
const error = await new SocketClient(process.argv[2]).connect().catch((reason) => reason);
if (error.name !== 'InvalidClientOptionError' || !error.message.includes('the package ws')) throw error;
const rendered = new SocketClient('/ws', { WebSocket });
if (rendered.url !== '/ws' || rendered.state !== 'idle') throw new Error('a relative URL became ' + rendered.url);

const client = new SocketClient(process.argv[2], { WebSocket });
${conversation}
if ((await new SocketClient('/ws', { WebSocket }).connect().catch((reason) => reason.name)) !== 'InvalidClientOptionError') {
	throw new Error('a relative URL can be used to connect');
}
`;

/**
 * Runs the built client on Node against an application on Bun, with Node's WebSocket and with that of `ws`. Checks that
 * the processes exit once the client is closed.
 */
export async function runClientOnNode(dir: string): Promise<void> {
	await Bun.write(join(dir, 'ask.js'), ask);
	await Bun.write(join(dir, 'client.mjs'), client);
	await Bun.write(join(dir, 'ws.mjs'), clientWithWs);
	await Bun.write(join(dir, 'server.ts'), server);
	await run([process.execPath, 'server.ts'], dir);
}
