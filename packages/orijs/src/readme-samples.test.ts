import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
	freePort,
	type Message,
	RecordingLogger,
	type ScriptProcess,
	startRedis,
	type TestClient,
	until,
} from '@orijs/testkit';
import { RedisWsProvider } from '@orijs/websocket-redis';
import { SocketClient } from '@orijs/websocket-client';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Application, SocketMessage } from './index.ts';
import { onPort, reporting, SampleRuns } from './test-support/sample-runs.ts';
import { Readme, substitute } from './test-support/samples.ts';

const root = new Readme('README.md');
const core = new Readme('packages/core/README.md');
const websocket = new Readme('packages/websocket/README.md');
const client = new Readme('packages/websocket-client/README.md');
const orijs = new Readme('packages/orijs/README.md');
const existing = new Readme('docs/existing-server.md');
const sending = new Readme('docs/sending.md');
const rooms = new Readme('docs/rooms.md');
const login = new Readme('docs/logging-in-and-out.md');
const kick = new Readme('docs/kick-and-ban.md');
const whoIsHere = new Readme('docs/who-is-here.md');

/** The messages of docs/sending.md, as a client without a schema library defines them. */
const SAY = SocketMessage.define<string, null>('say');
const SAID = SocketMessage.define<string>('said');

/** A server and its client, as shown side by side in a README. */
interface Pair {
	readonly messages: string;
	readonly server: string;
	readonly page: string;
	/** The server's address as it appears in `page`. */
	readonly url: string;
	/** The token that `page` sends to the guards. */
	readonly token?: string;
	/** The topic that `page` subscribes to, and the message that the server emits to it. */
	readonly topic: string;
	readonly emits: string;
	/** The lines that `page` prints for that message and for the answer to its request. */
	readonly prints: readonly RegExp[];
}

const README: Pair = {
	messages: root.file('messages.ts'),
	server: root.file('server.ts'),
	page: root.file('client.ts'),
	url: "'ws://localhost:3000/ws'",
	token: 'token-of-ada',
	topic: 'chat:lobby',
	emits: 'chat.said',
	prints: [/^Ada: hi$/m, /^Sent [0-9a-f-]{36}$/m],
};
const CORE_AND_CLIENT: Pair = {
	messages: client.file('messages.ts'),
	server: core.file('server.ts', '## Typed messages'),
	page: client.file('page.ts'),
	url: "'/ws'",
	token: 'secret',
	topic: 'room:a',
	emits: 'chat.said',
	prints: [/^room:a Ada hi$/m, /^hi$/m, /^The server calls it [0-9a-f-]{36}$/m],
};
const ORIJS: Pair = {
	messages: orijs.file('messages.ts'),
	server: orijs.file('server.ts'),
	page: orijs.file('page.ts'),
	url: "'/ws'",
	topic: 'greetings',
	emits: 'greeted',
	prints: [/^Ada has arrived$/m, /^Hello, Ada$/m],
};
const ALL: [name: string, pair: Pair][] = [
	['README.md', README],
	['@orijs/core with @orijs/websocket-client', CORE_AND_CLIENT],
	['@orijs/orijs', ORIJS],
];
const WITH_TOKEN = ALL.filter(([, { token }]) => token !== undefined);

describe('the samples in the READMEs', () => {
	let runs: SampleRuns;
	beforeAll(() => {
		runs = new SampleRuns();
	});
	afterEach(() => runs.end());
	afterAll(() => runs.remove());

	/** Writes the files of a pair, with the address of the server that the test starts. */
	function write({ messages, server, page, url }: Pair, port: number): { server: string; page: string } {
		const dir = runs.write({
			'messages.ts': messages,
			'server.ts': onPort(server, port),
			'page.ts': reporting(substitute(page, url, `'ws://127.0.0.1:${port}/ws'`)),
		});
		return { server: join(dir, 'server.ts'), page: join(dir, 'page.ts') };
	}

	/** Connects another client and subscribes it to the topic. */
	async function listen(port: number, { topic, token }: Pair): Promise<TestClient> {
		const other = await runs.connect(port, 'orijs.1');
		other.send(JSON.stringify({ type: '@auth', data: token }));
		other.send(JSON.stringify({ type: '@subscribe', data: { topic }, correlationId: 'subscribed' }));
		expect(await other.next()).not.toContain('error');
		return other;
	}

	async function prints(page: ScriptProcess, line: RegExp): Promise<void> {
		const what = (): string => `the page prints ${String(line)}; it printed ${page.output()}`;
		await until(() => line.test(page.output()), { what, timeoutMs: 10_000 });
	}

	it.each(ALL)('%s: the page receives the message, the answer and a gap', async (_, pair) => {
		const port = await freePort();
		const files = write(pair, port);
		const server = await runs.complete(files.server);
		const other = await listen(port, pair);

		const page = await runs.complete(files.page);
		for (const line of pair.prints) await prints(page, line);
		await other.next(emittedBy(pair));
		if (pair.token !== undefined) expect(other.texts.join('\n')).not.toContain(pair.token);

		server.kill();
		await server.exited;
		await runs.complete(files.server);
		await prints(page, /^Messages .*may be missing/m);
	});

	it.each(WITH_TOKEN)('%s: a page with another token is rejected', async (_, pair) => {
		const port = await freePort();
		const files = write({ ...pair, page: substitute(pair.page, `'${pair.token}'`, "'another'") }, port);
		await runs.complete(files.server);
		const page = runs.start(files.page);
		expect(await page.exited).toMatchObject({ code: 1 });
		expect(page.output()).toContain('ClientClosedError');
	});

	it('@orijs/core and @orijs/websocket-client print the same messages.ts', () => {
		expect(client.file('messages.ts')).toBe(core.file('messages.ts'));
	});

	it('@orijs/websocket-client: after closing everything, the process ends', async () => {
		const port = await freePort();
		const page = CORE_AND_CLIENT.page + client.block('await room.close();');
		const files = write({ ...CORE_AND_CLIENT, page }, port);
		await runs.complete(files.server);
		const { exited, output } = await runs.complete(files.page);
		expect(await exited).toEqual({ code: 0, signal: null });
		expect(output()).toMatch(/^closed$/m);
	});

	it('@orijs/core: the quick start and its page', async () => {
		const port = await freePort();
		const url = 'ws://localhost:3000/ws';
		const dir = runs.write({
			'server.ts': onPort(core.file('server.ts'), port),
			'page.ts': reporting(substitute(core.file('page.ts'), url, `ws://127.0.0.1:${port}/ws`)),
		});
		await runs.complete(join(dir, 'server.ts'));
		expect(await (await fetch(`http://127.0.0.1:${port}/health`)).text()).toBe('ok');
		const other = await runs.connect(port);

		const page = await runs.complete(join(dir, 'page.ts'));
		await prints(page, /^Ada: hi$/m);
		await page.stop();
		expect(await other.received(3)).toEqual(['Ada joined', 'Ada: hi', 'Ada left']);
	});

	it('@orijs/core: counts by HTTP', async () => {
		const port = await freePort();
		const code = `${core.block('app.socket.getConnectionCount()')}\nawait app.listen(3000);\n`;
		const dir = runs.write({ 'server.ts': onPort(code, port) });
		await runs.complete(join(dir, 'server.ts'));
		await runs.connect(port);
		const count = async (path: string): Promise<unknown> => (await fetch(`http://127.0.0.1:${port}${path}`)).json();
		expect(await count('/count')).toEqual({ connections: 1 });
		expect(await count('/count/lobby')).toEqual({ members: 0 });
	});

	it('@orijs/websocket: a provider with history', async () => {
		const dir = runs.write({ 'history.ts': reporting(websocket.block('idempotencyKey')) });
		const { output } = await runs.complete(join(dir, 'history.ts'));
		expect(output()).toBe('');
	});

	it('@orijs/websocket: all nodes as one', async () => {
		const dir = runs.write({ 'cluster.ts': reporting(websocket.file('cluster.ts')) });
		const { output } = await runs.complete(join(dir, 'cluster.ts'));
		expect(output()).toMatch(/ 37$/m);
	});

	it('@orijs/websocket-client: a reloaded page recovers what it missed, and is told what is lost', async () => {
		const port = await freePort();
		const dir = runs.write({
			'browser.ts': BROWSER,
			'server.ts': onPort(client.file('history-server.ts'), port) + PUBLISH,
			'page.ts': `import './browser.ts';\n${reporting(substitute(client.file('history-page.ts'), "'/ws'", `'ws://127.0.0.1:${port}/ws'`))}${HIDE}`,
		});
		const server = await runs.complete(join(dir, 'server.ts'));
		await server.request('before');
		const first = await runs.complete(join(dir, 'page.ts'));
		await prints(first, /^before/m);
		const stored = JSON.stringify(await first.request('hide'));
		await first.stop();

		await server.request('meanwhile');
		const second = await runs.complete(join(dir, 'page.ts'), { STORED: stored });
		await prints(second, /^meanwhile[^]*^Recovered 1 messages$/m);
		expect(second.output()).not.toContain('before');
		await second.stop();

		server.kill();
		await server.exited;
		await runs.complete(join(dir, 'server.ts'));
		const third = await runs.complete(join(dir, 'page.ts'), { STORED: stored });
		await prints(third, /^Messages may be missing/m);
		await prints(third, /^Some messages are lost$/m);
	});

	it('docs/sending.md: a page and its server, which leaves out a socket in a route', async () => {
		const port = await freePort();
		const dir = runs.write({
			'messages.ts': sending.file('messages.ts'),
			'server.ts': onPort(sending.file('server.ts'), port),
		});
		await runs.complete(join(dir, 'server.ts'));
		const clients = [new SocketClient(`ws://127.0.0.1:${port}/ws`), new SocketClient(`ws://127.0.0.1:${port}/ws`)];
		const heard = clients.map((one) => {
			onTestFinished(() => one.close());
			const names: unknown[] = [];
			one.on(SAID, (data) => names.push(data));
			return names;
		});
		for (const one of clients) {
			await one.connect();
			await one.subscribe('lobby');
		}
		const [one] = clients;
		expect((await fetch(`http://127.0.0.1:${port}/say/${one?.socketId}`)).status).toBe(204);
		await one?.request(SAY, 'by one');
		await until(() => heard.flat().length === 3, { what: 'everything has arrived' });
		expect(heard).toEqual([['to you'], ['to the others', 'by one']]);
	});

	it('docs/sending.md: a worker without a server publishes the last value, and exits by itself', async () => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const worker = substitute(sending.file('worker.ts'), "'redis://localhost:6379'", `'${redis.url}'`);
		const dir = runs.write({ 'messages.ts': sending.file('messages.ts'), 'worker.ts': worker });
		const child = runs.start(join(dir, 'worker.ts'));
		expect(await child.exited).toEqual({ code: 0, signal: null });

		const port = await freePort();
		const provider = new RedisWsProvider({
			connection: redis.url,
			history: { 'price:*': { size: 1, ttlMs: 86_400_000 } },
			logger: new RecordingLogger(),
		});
		const app = new Application({ signals: false }).websocket(provider, { authorize: { subscribe: () => true } });
		onTestFinished(() => app.stop());
		await app.listen(port);
		const page = reporting(substitute(sending.file('price-page.ts'), 'localhost:3000', `localhost:${port}`));
		const pages = runs.write({ 'messages.ts': sending.file('messages.ts'), 'page.ts': page });
		await prints(await runs.complete(join(pages, 'page.ts')), /^42$/m);
		await runs.end();
	});

	it('@orijs/orijs: with history, the topic keeps its messages', async () => {
		const port = await freePort();
		const files = write({ ...ORIJS, server: orijs.patch(ORIJS.server, 'history', '## History') }, port);
		await runs.complete(files.server);
		await runs.complete(files.page);
		const other = await runs.connect(port, 'orijs.1');
		other.send(JSON.stringify({ type: '@subscribe', data: { topic: ORIJS.topic, rewind: 10 } }));
		const message = await other.next(emittedBy(ORIJS));
		expect(JSON.parse(String(message))).toMatchObject({ data: { name: 'Ada' }, position: { prev: 0 } });
	});

	it.each([
		['README.md', README, root.patch(README.server, 'RedisWsProvider')],
		['@orijs/orijs', ORIJS, orijs.patch(ORIJS.server, 'RedisWsProvider', '## Redis')],
	])('%s: with Redis, clients of another node receive the message', async (_, pair, printed) => {
		const redis = await startRedis();
		onTestFinished(() => redis.stop());
		const server = substitute(printed, "'redis://localhost:6379'", `'${redis.url}'`);
		const ports = [await freePort(), await freePort()] as const;
		const here = write({ ...pair, server }, ports[0]);
		const there = write({ ...pair, server }, ports[1]);
		await Promise.all([runs.complete(here.server), runs.complete(there.server)]);
		const other = await listen(ports[1], pair);

		await runs.complete(here.page);
		await other.next(emittedBy(pair));
		await runs.end();
	});

	it('TypeScript accepts them', { timeout: 60_000 }, async () => {
		const dir = runs.write({
			'tsconfig.json': JSON.stringify({
				extends: fileURLToPath(new URL('../../../tsconfig.base.json', import.meta.url)),
				// Samples may define names that they don't use.
				compilerOptions: {
					declaration: false,
					declarationMap: false,
					isolatedDeclarations: false,
					noUnusedLocals: false,
					lib: ['ESNext', 'DOM'],
				},
			}),
			'readme/messages.ts': README.messages,
			'readme/server.ts': README.server,
			'readme/client.ts': README.page,
			'readme/redis.ts': root.patch(README.server, 'RedisWsProvider'),
			'typed/messages.ts': CORE_AND_CLIENT.messages,
			'typed/server.ts': CORE_AND_CLIENT.server,
			'typed/page.ts': CORE_AND_CLIENT.page + client.block('await room.close();'),
			'typed/middleware.ts': core.file('middleware.ts') + DECLARED_BY_THE_READER,
			'plain/server.ts': core.file('server.ts'),
			'plain/page.ts': `${core.file('page.ts')}\nexport {};\n`,
			'counts/server.ts': core.block('app.socket.getConnectionCount()'),
			'provider/history.ts': websocket.block('idempotencyKey'),
			'provider/cluster.ts': websocket.file('cluster.ts'),
			'history/server.ts': client.file('history-server.ts'),
			'history/page.ts': client.file('history-page.ts'),
			'existing/server.ts': existing.block('endpoint.websocket'),
			'existing/several.ts': existing.block('handlers(chat, admin)'),
			'existing/raw-wiring.ts': existing.block('protocol.accept'),
			'sending/messages.ts': sending.file('messages.ts'),
			'sending/server.ts': sending.file('server.ts'),
			'sending/price-page.ts': sending.file('price-page.ts'),
			'sending/worker.ts': sending.file('worker.ts'),
			'rooms/messages.ts': rooms.file('messages.ts'),
			'rooms/server.ts': rooms.file('server.ts'),
			'rooms/page.ts': rooms.file('page.ts'),
			'login/logout.ts': login.file('logout.ts'),
			'kick/moderation.ts': kick.file('moderation.ts'),
			'kick/server.ts': kick.file('server.ts'),
			'kick/missed.ts': kick.file('missed.ts'),
			'kick/caches.ts': kick.file('caches.ts'),
			'kick/page.ts': kick.file('page.ts'),
			'who-is-here/info.ts': whoIsHere.file('info.ts'),
			'who-is-here/server.ts': whoIsHere.file('server.ts'),
			'who-is-here/page.ts': whoIsHere.file('page.ts'),
			'who-is-here/presence.ts': whoIsHere.file('presence.ts'),
			'who-is-here/typing.ts': whoIsHere.file('typing.ts'),
			'who-is-here/provider.ts': whoIsHere.file('provider.ts'),
			'who-is-here/authorize.ts': whoIsHere.file('authorize.ts'),
			'orijs/messages.ts': ORIJS.messages,
			'orijs/server.ts': ORIJS.server,
			'orijs/page.ts': ORIJS.page,
			'orijs/history.ts': orijs.patch(ORIJS.server, 'history', '## History'),
			'orijs/redis.ts': orijs.patch(ORIJS.server, 'RedisWsProvider', '## Redis'),
		});
		const tsc = fileURLToPath(new URL('../../../node_modules/.bin/tsc', import.meta.url));
		const { stdout, exited } = Bun.spawn([process.execPath, tsc, '-p', dir], { stdout: 'pipe' });
		expect(await new Response(stdout).text()).toBe('');
		expect(await exited).toBe(0);
	});
});

/** Returns a check that recognizes the frame of the message that a pair's server emits. */
function emittedBy({ emits }: Pair): (frame: Message) => boolean {
	return (frame) => typeof frame === 'string' && frame.includes(`"${emits}"`);
}

/** What a sample leaves to its reader. */
const DECLARED_BY_THE_READER = `
	declare function mayGoOn(userId: string): boolean;
	declare function record(type: string, outcome: string, ms: number): void;
`;

/** Code that replaces `localStorage`. The environment variable STORED carries its contents across a reload. */
const BROWSER = `
	const stored = new Map(Object.entries(JSON.parse(process.env['STORED'] ?? '{}')));
	const localStorage = {
		get length() { return stored.size; },
		key: (index) => [...stored.keys()][index] ?? null,
		getItem: (key) => stored.get(key) ?? null,
		setItem: (key, value) => stored.set(key, value),
		removeItem: (key) => stored.delete(key),
	};
	Object.assign(globalThis, { localStorage, stored });
`;

/** Code that publishes each text that the test sends. */
const PUBLISH = `
	import { answerRequests } from '@orijs/testkit';
	answerRequests((text) => provider.publish('chat:1', text));
`;

/** Code that hides the page on request, and answers with what the page has stored. */
const HIDE = `
	import { answerRequests } from '@orijs/testkit';
	answerRequests(() => {
		dispatchEvent(new Event('pagehide'));
		return Object.fromEntries(stored);
	});
`;
