import { createServer, type Server } from 'node:net';
import { Application } from '@orijs/core';
import { selfSigned, startTcpProxy, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ClientClosedError, ConnectError, type ErrorStage, SocketClient, type SocketClientOptions } from '../index.ts';
import { diagnose } from './diagnosis.ts';

const CHECK = "; check the path (core's default: /ws), ws/wss, server and proxies";

const CONFIRMED = { headers: { 'Sec-WebSocket-Protocol': 'orijs.1' } };

interface Attempts {
	readonly client: SocketClient;
	readonly reported: [ErrorStage, Error][];
	/** How many attempts have failed. */
	failed: number;
}

/** Connects a client that reconnects quickly. */
function attempt(url: string, options: SocketClientOptions = {}): Attempts {
	const client = new SocketClient(url, { reconnect: { minDelayMs: 5, maxDelayMs: 10 }, ...options });
	const attempts: Attempts = { client, reported: [], failed: 0 };
	client.onError((error, stage) => attempts.reported.push([stage, error]));
	client.onStateChange((state) => state === 'waiting' && attempts.failed++);
	void client.connect();
	onTestFinished(() => client.close());
	return attempts;
}

/** Resolves with what a client reports about an outage, however many attempts fail. */
async function reportOf(url: string, options?: SocketClientOptions): Promise<string> {
	const attempts = attempt(url, options);
	await until(() => attempts.reported.length > 0, { what: 'an error is reported' });
	const { failed } = attempts;
	await until(() => attempts.failed > failed + 12, { what: 'twelve more attempts have failed' });
	await attempts.client.close();
	const [[stage, error] = [], ...others] = attempts.reported;
	expect(others).toEqual([]);
	expect(stage).toBe('connect');
	expect(error).toBeInstanceOf(ConnectError);
	return error?.message ?? '';
}

/** Starts a TCP server that answers whatever it receives with this text. */
async function answering(text: string | undefined): Promise<number> {
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.on('data', () => text !== undefined && socket.end(text));
	});
	return listening(server);
}

/**
 * Starts a WebSocket server that sends back what it receives. Returns its port.
 *
 * @param protocol the subprotocol it confirms; by default whichever the client prefers, as many servers do
 * @param received gets what it receives
 */
function startEcho(protocol?: string, received: unknown[] = []): number {
	const headers = protocol === undefined ? {} : { 'Sec-WebSocket-Protocol': protocol };
	const echo = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		fetch: (request, self) => (self.upgrade(request, { headers }) ? undefined : new Response(null, { status: 400 })),
		websocket: {
			message(socket, message) {
				received.push(message);
				socket.send(message);
			},
		},
	});
	onTestFinished(() => echo.stop(true));
	return echo.port ?? 0;
}

async function listening(server: Server): Promise<number> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	onTestFinished(() => void server.close());
	return (server.address() as { port: number }).port;
}

async function application(options: object = {}, path = '/ws'): Promise<number> {
	const logger = { debug() {}, info() {}, warn() {}, error() {} };
	const app = new Application({ logger, signals: false }).websocket({ path, ...options });
	onTestFinished(() => app.stop({ graceMs: 0 }));
	const { port } = await app.listen({ port: 0, hostname: '127.0.0.1' });
	return port ?? 0;
}

describe('reports once what an outage looks like, and what to check', () => {
	it('an application whose endpoint has another path', async () => {
		const url = `ws://127.0.0.1:${await application({}, '/live')}/ws`;
		expect(await reportOf(url)).toBe(`No connection to ${url} (1006): HTTP 404${CHECK}`);
	});

	it('a server without an endpoint', async () => {
		const server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response('<h1>Hello</h1>') });
		onTestFinished(() => server.stop(true));
		const url = `ws://127.0.0.1:${server.port}/ws`;
		expect(await reportOf(url)).toContain(`: HTTP 200${CHECK}`);
	});

	it.each([
		['HTTP/1.1 403 Forbidden', 'HTTP 403'],
		['HTTP/1.1 400 Bad Request', 'HTTP 400'],
		['HTTP/1.1 503 Service Unavailable', 'HTTP 503'],
		['not HTTP at all', 'no readable answer'],
	])('a proxy that answers %s', async (line, found) => {
		const port = await answering(`${line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
		expect(await reportOf(`ws://127.0.0.1:${port}/ws`)).toContain(`(1006): ${found}${CHECK}`);
	});

	it('a proxy that passes on everything but upgrades', async () => {
		const port = await application();
		const proxy = Bun.serve({
			hostname: '127.0.0.1',
			port: 0,
			fetch: (request) => fetch(`http://127.0.0.1:${port}${new URL(request.url).pathname}`),
		});
		onTestFinished(() => proxy.stop(true));
		expect(await reportOf(`ws://127.0.0.1:${proxy.port}/ws`)).toMatch(
			/\(1006\): WebSocket endpoint: .* a proxy does not pass them on/,
		);
	});

	it('an endpoint that is full', async () => {
		const port = await application({ limits: { connections: 1 } });
		const first = new WebSocket(`ws://127.0.0.1:${port}/ws`);
		await new Promise((resolve) => first.addEventListener('open', resolve));
		onTestFinished(() => first.close());
		expect(await reportOf(`ws://127.0.0.1:${port}/ws`)).toMatch(/: WebSocket refused: there are too many connections/);
	});

	it('nothing listens', async () => {
		const proxy = await startTcpProxy({ port: 9 });
		proxy.refuse(true);
		onTestFinished(() => proxy.stop());
		expect(await reportOf(`ws://127.0.0.1:${proxy.port}/ws`)).toContain(`(1006): no readable answer${CHECK}`);
	});

	it('a server that never answers', async () => {
		const port = await answering(undefined);
		expect(await reportOf(`ws://127.0.0.1:${port}/ws`, { connectTimeoutMs: 30 })).toContain(
			`(not ready within 30 ms): no readable answer${CHECK}`,
		);
	});

	it('TLS on a plain port, and the reverse', async () => {
		const plain = await application();
		expect(await reportOf(`wss://127.0.0.1:${plain}/ws`)).toContain(`no readable answer${CHECK}`);
		const tls = Bun.serve({ hostname: '127.0.0.1', port: 0, tls: selfSigned(), fetch: () => new Response('') });
		onTestFinished(() => tls.stop(true));
		expect(await reportOf(`ws://127.0.0.1:${tls.port}/ws`)).toContain(CHECK);
	});

	it('a server that confirms whatever is offered first, and never gets the credentials', async () => {
		const received: unknown[] = [];
		const url = `ws://127.0.0.1:${startEcho(undefined, received)}/ws`;
		expect(await reportOf(url, { auth: () => 'secret' })).toBe('no OriJS endpoint: it does not confirm orijs.1');
		expect(received).toEqual([]);
	});

	it('a server that confirms nothing, and never gets the credentials', async () => {
		const received: unknown[] = [];
		const url = `ws://127.0.0.1:${startEcho('', received)}/ws`;
		expect(await reportOf(url, { auth: () => 'secret' })).toContain(CHECK);
		expect(received).toEqual([]);
	});

	it('a server that confirms orijs.1, but echoes', async () => {
		expect(await reportOf(`ws://127.0.0.1:${startEcho('orijs.1')}/ws`)).toBe('the server refused @auth');
	});

	it('a server that closes the connection before it is ready', async () => {
		const closing = Bun.serve({
			hostname: '127.0.0.1',
			port: 0,
			fetch: (request, self) => (self.upgrade(request, CONFIRMED) ? undefined : new Response(null, { status: 426 })),
			websocket: { message() {}, open: (socket) => socket.close(4000, 'not today') },
		});
		onTestFinished(() => closing.stop(true));
		expect(await reportOf(`ws://127.0.0.1:${closing.port}/ws`)).toContain(`(not today): HTTP 426${CHECK}`);
	});

	it('a class that throws, as under a content security policy', async () => {
		const error = new Error('blocked by a policy');
		const attempts = attempt('ws://127.0.0.1:9/ws', {
			WebSocket: function () {
				throw error;
			} as unknown as typeof WebSocket,
		});
		await until(() => attempts.failed > 6, { what: 'six attempts have failed' });
		expect(attempts.reported).toEqual([['connect', error]]);
	});
});

it('names neither the credentials nor the query of the URL, which may be secrets', async () => {
	const port = await application({}, '/live');
	for (const path of ['/@me/ws?token=secret', '/@me/ws?of=@secret&a=//b@c']) {
		const message = await reportOf(`ws://user:secret@127.0.0.1:${port}${path}`);
		expect(message).toBe(`No connection to ws://127.0.0.1:${port}/@me/ws (1006): HTTP 404${CHECK}`);
	}
	const { message } = await diagnose(
		`ws://127.0.0.1:${port}?of=@secret`,
		{ code: 1006, reason: '' },
		1_000,
		new AbortController(),
	);
	expect(message).toBe(`No connection to ws://127.0.0.1:${port} (1006): HTTP 404${CHECK}`);
});

it('reports another cause in the same outage if an attempt shows it, and no cause twice', async () => {
	const proxy = await startTcpProxy({ port: 9 });
	proxy.refuse(true);
	onTestFinished(() => proxy.stop());
	const attempts = attempt(`ws://127.0.0.1:${proxy.port}/ws`);
	await until(() => attempts.reported.length === 1, { what: 'the first cause is reported' });
	proxy.retarget({ port: startEcho('orijs.1') });
	proxy.refuse(false);
	await until(() => attempts.reported.length === 2, { what: 'the second cause is reported' });
	const { failed } = attempts;
	await until(() => attempts.failed > failed + 5, { what: 'five more attempts have failed' });
	expect(attempts.reported.map(([, { message }]) => /no readable|refused @auth/.exec(message)?.[0])).toEqual([
		'no readable',
		'refused @auth',
	]);
});

it('reports at the third failed attempt, and before it only what the attempt itself shows', async () => {
	let asked = 0;
	const server = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		fetch(request) {
			if (request.headers.get('upgrade') === null) asked++;
			return new Response('', { status: 404 });
		},
	});
	onTestFinished(() => server.stop(true));
	const url = `ws://127.0.0.1:${server.port}/ws`;
	const patient = attempt(url, { reconnect: { minDelayMs: 60_000_000, maxDelayMs: 60_000_000 } });
	for (let n = 1; n <= 3; n++) {
		await until(() => patient.failed === n, { what: `attempt ${n} has failed` });
		if (n === 3) break;
		expect([patient.reported.length, asked]).toEqual([0, 0]);
		void patient.client.connect();
	}
	await until(() => patient.reported.length === 1, { what: 'the cause is reported' });
	expect(asked).toBe(1);
});

it('asks once, however many attempts fail until there is an answer', async () => {
	const held: (() => void)[] = [];
	const server = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		async fetch({ headers }) {
			if (headers.get('upgrade') === null) await new Promise<void>((resolve) => held.push(resolve));
			return new Response('', { status: 404 });
		},
	});
	onTestFinished(() => server.stop(true));
	const attempts = attempt(`ws://127.0.0.1:${server.port}/ws`);
	await until(() => attempts.failed > 8, { what: 'eight attempts have failed' });
	expect([held.length, attempts.reported.length]).toEqual([1, 0]);
	held[0]?.();
	await until(() => attempts.reported.length === 1, { what: 'the cause is reported' });
});

it('reports nothing for an outage that is over, or for a client that was closed', async () => {
	const held: (() => void)[] = [];
	let upgrades = false;
	const server = Bun.serve({
		hostname: '127.0.0.1',
		port: 0,
		async fetch(request, self) {
			if (upgrades && self.upgrade(request, CONFIRMED)) return undefined;
			const isHeld = request.headers.get('upgrade') === null && request.url.endsWith('/ws');
			if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
			return new Response('', { status: 404 });
		},
		websocket: {
			message(socket, text) {
				const { correlationId } = JSON.parse(String(text)) as { correlationId: string };
				const data = { socketId: crypto.randomUUID(), timestamp: Date.now() };
				socket.send(JSON.stringify({ type: '@auth', correlationId, data }));
			},
		},
	});
	onTestFinished(() => server.stop(true));
	const url = `ws://127.0.0.1:${server.port}/ws`;
	const closed = attempt(url);
	await until(() => held.length === 1, { what: 'the first client has asked' });
	await closed.client.close();
	const over = attempt(url);
	await until(() => held.length === 2, { what: 'the second client has asked' });
	upgrades = true;
	await until(() => over.client.state === 'ready', { what: 'the outage is over' });
	for (const answer of held) answer();
	// The answers have arrived before those to later requests.
	for (let i = 0; i < 3; i++) await fetch(`http://127.0.0.1:${server.port}/at-once`);
	expect(over.client.state).toBe('ready');
	await over.client.close();
	expect([closed.reported, over.reported]).toEqual([[], []]);
});

describe('a client that gives up says why', () => {
	it.each([
		[false, 1],
		[{ maxAttempts: 1 }, 1],
		[{ maxAttempts: 2, minDelayMs: 1 }, 2],
	] as const)('with reconnect: %j after %d attempts', async (reconnect, count) => {
		let attempts = 0;
		const url = `ws://127.0.0.1:${await application({}, '/live')}/ws`;
		const client = new SocketClient(url, {
			reconnect,
			auth: () => {
				attempts++;
			},
		});
		const states: unknown[] = [];
		client.onStateChange((state, { end }) => states.push(state === 'closed' ? end : state));
		const error = await client.connect().catch((thrown: unknown) => thrown);
		const reason = `No connection to ${url} (1006): HTTP 404${CHECK}`;
		expect(error).toBeInstanceOf(ClientClosedError);
		expect(error).toMatchObject({
			message: `The client stopped reconnecting: 1006 ${reason}`,
			end: { code: 1006, reason },
		});
		expect(states.at(-1)).toEqual({ code: 1006, reason });
		expect(attempts).toBe(count);
	});
});
