import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from './free-port.ts';
import { hasSent } from './link-filter.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import type { ProxyOptions, TcpProxy } from './tcp-proxy.ts';
import { until } from './until.ts';

/** One end of a connection, with the bytes that it has received. */
interface Endpoint {
	readonly socket: Socket;
	readonly received: string;
	/** How the connection ended: `FIN` or an error code; `undefined` while it is still readable. */
	readonly ended: string | undefined;
	receives(text: string): Promise<void>;
	ends(how: string): Promise<void>;
}

const opened: { destroy(): void }[] = [];
const proxies: TcpProxy[] = [];
const serverEndpoints: Endpoint[] = [];
let listener: Server;
let port: number;

beforeEach(async () => {
	[listener, port] = await listen((socket) => serverEndpoints.push(endpointOf(socket)));
});

afterEach(async () => {
	for (const socket of opened.splice(0)) socket.destroy();
	await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
	serverEndpoints.splice(0);
	listener.close();
});

async function listen(onConnection: (socket: Socket) => void): Promise<[Server, number]> {
	const created = createServer({ allowHalfOpen: true }, onConnection);
	created.listen(0, '127.0.0.1');
	await once(created, 'listening');
	return [created, (created.address() as AddressInfo).port];
}

function endpointOf(socket: Socket): Endpoint {
	opened.push(socket);
	let received = '';
	let ended: string | undefined;
	socket.on('data', (bytes: Buffer) => (received += bytes.toString('latin1')));
	socket.on('end', () => (ended ??= 'FIN'));
	socket.on('error', (error: NodeJS.ErrnoException) => (ended = error.code));
	return {
		socket,
		get received() {
			return received;
		},
		get ended() {
			return ended;
		},
		receives: (text) => until(() => received === text, { what: () => `it receives ${text}; received ${received}` }),
		ends: (how) => until(() => ended === how, { what: () => `it ends with ${how}; ended: ${ended}` }),
	};
}

async function startProxy(options: Partial<ProxyOptions> = {}): Promise<TcpProxy> {
	const proxy = await startTcpProxy({ port, ...options });
	proxies.push(proxy);
	return proxy;
}

async function connectTo(proxy: TcpProxy): Promise<Endpoint> {
	const socket = connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true });
	const endpoint = endpointOf(socket);
	await until(() => !socket.connecting, { what: 'the connection succeeds or fails' });
	return endpoint;
}

/** Returns both ends of a working connection through the proxy. */
async function connectBoth(proxy: TcpProxy): Promise<{ client: Endpoint; server: Endpoint }> {
	const before = serverEndpoints.length;
	const client = await connectTo(proxy);
	await until(() => serverEndpoints.length > before, { what: 'the proxy connects to the server' });
	return { client, server: serverEndpoints.at(-1) as Endpoint };
}

/** Waits until the first link holds exactly this many bytes. */
function untilHeld(proxy: TcpProxy, bytes: number): Promise<void> {
	return until(() => proxy.links()[0]?.held === bytes, { what: `the link holds ${bytes} bytes` });
}

test('forwards in both directions, and counts links', async () => {
	const proxy = await startProxy();
	const [one, two] = [await connectBoth(proxy), await connectBoth(proxy)];
	one.client.socket.write('ping');
	one.server.socket.write('pong');
	two.server.socket.write('first');

	await Promise.all([one.server.receives('ping'), one.client.receives('pong'), two.client.receives('first')]);
	expect(proxy.links().map(({ id, sent }) => [id, sent])).toEqual([
		[1, 'ping'],
		[2, ''],
	]);
	expect(proxy.links()[0]?.openedAt).toBeCloseTo(Date.now(), -4);
	one.client.socket.end();
	await one.server.ends('FIN');
	one.server.socket.end();
	await until(() => proxy.connections === 1, { what: 'the first link has ended' });
	expect(proxy.accepted).toBe(2);
});

test('a FIN of one side leaves the other direction open', async () => {
	const { client, server } = await connectBoth(await startProxy());
	client.socket.end('question');
	await server.receives('question');
	await server.ends('FIN');
	server.socket.end('answer');

	await client.receives('answer');
	await client.ends('FIN');
});

test('a reset of one side resets the other', async () => {
	const proxy = await startProxy();
	const [one, two] = [await connectBoth(proxy), await connectBoth(proxy)];
	one.client.socket.resetAndDestroy();
	two.server.socket.resetAndDestroy();

	await Promise.all([one.server.ends('ECONNRESET'), two.client.ends('ECONNRESET')]);
	await until(() => proxy.connections === 0, { what: 'the links have ended' });
});

test('forwards large streams in both directions concurrently, unchanged', async () => {
	const { client, server } = await connectBoth(await startProxy());
	const hash = (bytes: string | Buffer): string => createHash('sha1').update(bytes).digest('hex');
	const [question, answer] = [randomBytes(30_000_000), randomBytes(30_000_000)];
	client.socket.end(question);
	server.socket.end(answer);

	await Promise.all([client.ends('FIN'), server.ends('FIN')]);
	expect(hash(Buffer.from(client.received, 'latin1'))).toBe(hash(answer));
	expect(hash(Buffer.from(server.received, 'latin1'))).toBe(hash(question));
});

test('a receiver that does not read causes backpressure rather than buffering', async () => {
	const proxy = await startProxy();
	const { client, server } = await connectBoth(proxy);
	client.socket.pause();
	server.socket.write(randomBytes(30_000_000));
	await until(() => (proxy.links()[0]?.held ?? 0) > 0, { what: 'the proxy holds bytes' });

	expect(proxy.links()[0]?.held).toBeLessThan(1_000_000);
	expect(server.socket.writableLength).toBeGreaterThan(10_000_000);
	client.socket.resume();
	await until(() => client.received.length === 30_000_000, { what: 'all has arrived' });
});

test('is fast: 10000 round trips on 20 connections', async () => {
	const proxy = await startProxy();
	const clients = await Promise.all(Array.from({ length: 20 }, () => connectTo(proxy)));
	await until(() => serverEndpoints.length === 20, { what: 'all are connected' });
	for (const server of serverEndpoints) server.socket.on('data', (bytes) => server.socket.write(bytes));
	const before = performance.now();
	await Promise.all(
		clients.map(async ({ socket }) => {
			for (let count = 0; count < 500; count++) {
				socket.write('ping');
				await once(socket, 'data');
			}
		}),
	);

	expect(performance.now() - before).toBeLessThan(4000);
});

test('cuts the links that a filter selects, with an RST or a FIN', async () => {
	const proxy = await startProxy();
	const [one, two, three] = [await connectBoth(proxy), await connectBoth(proxy), await connectBoth(proxy)];

	expect(proxy.cut(({ id }) => id === 1)).toBe(1);
	await Promise.all([one.client.ends('ECONNRESET'), one.server.ends('ECONNRESET')]);
	proxy.links()[0]?.cut('end');
	await Promise.all([two.client.ends('FIN'), two.server.ends('FIN')]);
	expect(proxy.connections).toBe(1);
	expect(three.client.ended).toBe(undefined);
	expect(proxy.cut()).toBe(1);
	expect(proxy.connections).toBe(0);
});

test('hasSent selects links by the commands that the client has sent', async () => {
	const proxy = await startProxy();
	const [one, two] = [await connectTo(proxy), await connectTo(proxy)];
	one.socket.write('*3\r\n$6\r\nCLIENT\r\n$7\r\nSETNAME\r\n$1\r\na\r\n*2\r\n$9\r\nsubscribe\r\n$4\r\nchat\r\n');
	two.socket.write('*3\r\n$7\r\nPUBLISH\r\n$4\r\nchat\r\n$9\r\nSUBSCRIBE\r\n' + 'x'.repeat(10_000));
	await until(() => proxy.links().every(({ sent }) => sent !== ''), { what: 'both have sent' });

	const ids = (...commands: string[]): number[] =>
		proxy
			.links()
			.filter(hasSent(...commands))
			.map(({ id }) => id);
	expect(ids('SUBSCRIBE', 'SSUBSCRIBE')).toEqual([1]);
	expect(ids('PUBLISH', 'SPUBLISH')).toEqual([2]);
	await until(() => proxy.links()[1]?.sent.length === 4096, { what: 'no more than 4 KiB are kept' });
});

test('a frozen link holds bytes, FINs and RSTs of both sides until it is thawed', async () => {
	const proxy = await startProxy();
	const [one, two] = [await connectBoth(proxy), await connectBoth(proxy)];
	expect(proxy.freeze(({ id }) => id === 1)).toBe(1);
	one.client.socket.end('late question');
	one.server.socket.write('late answer');
	two.client.socket.write('prompt');
	await two.server.receives('prompt');
	await untilHeld(proxy, 24);

	expect([one.server.received, one.client.received, one.server.ended]).toEqual(['', '', undefined]);
	one.server.socket.resetAndDestroy();
	await Bun.sleep(20); // No RST must arrive, and there is no event for that to await.
	expect([one.client.ended, proxy.connections]).toEqual([undefined, 2]);
	proxy.thaw();
	await until(() => proxy.connections === 1, { what: 'the reset is forwarded' });
});

test('a thaw delivers held and later bytes in order', async () => {
	const proxy = await startProxy();
	const { client, server } = await connectBoth(proxy);
	proxy.freeze();
	client.socket.write('one ');
	await untilHeld(proxy, 4);
	client.socket.write('two ');
	await untilHeld(proxy, 8);
	expect(proxy.links()[0]?.sent).toBe('one two ');
	proxy.thaw();
	client.socket.end('three');

	await server.receives('one two three');
	await server.ends('FIN');
});

test('freezes one direction only', async () => {
	const proxy = await startProxy();
	const { client, server } = await connectBoth(proxy);
	proxy.freeze(undefined, { direction: 'toClient' });
	server.socket.write('answer');
	client.socket.end('question');
	await server.receives('question');
	await server.ends('FIN');

	expect(client.received).toBe('');
	proxy.thaw();
	await client.receives('answer');
});

test('drops the held bytes on request, but not a FIN', async () => {
	const proxy = await startProxy();
	const { client, server } = await connectBoth(proxy);
	proxy.freeze();
	server.socket.write('lost');
	await untilHeld(proxy, 4);
	proxy.thaw(undefined, { held: 'drop' });
	server.socket.end('kept');

	await client.receives('kept');
	await client.ends('FIN');
});

test('a frozen link reads up to holdBytes, and then refuses to drop only a part', async () => {
	const proxy = await startProxy({ holdBytes: 100_000 });
	const { client, server } = await connectBoth(proxy);
	proxy.freeze();
	server.socket.write(randomBytes(30_000_000));
	await until(() => (proxy.links()[0]?.held ?? 0) > 100_000, { what: 'the link holds more than holdBytes' });

	expect(() => proxy.thaw(undefined, { held: 'drop' })).toThrow(/raise holdBytes/);
	expect(server.socket.writableLength).toBeGreaterThan(10_000_000);
	proxy.thaw();
	await until(() => client.received.length === 30_000_000, { what: 'all has arrived' });
});

test('new links of a frozen proxy are not connected to the target until it is thawed', async () => {
	const proxy = await startProxy();
	proxy.freeze();
	const [open, closed] = [await connectTo(proxy), await connectTo(proxy)];
	open.socket.write('hello');
	await untilHeld(proxy, 5);
	closed.socket.destroy();
	await until(() => proxy.connections === 2, { what: 'both are connected' });
	expect(serverEndpoints).toHaveLength(0);
	proxy.thaw();

	await until(() => serverEndpoints.some(({ received }) => received === 'hello'), {
		what: 'the open client is connected to the server',
	});
	open.socket.write(', later');
	await until(() => serverEndpoints.some(({ received }) => received === 'hello, later'), {
		what: 'later bytes are forwarded',
	});
	proxy.cut();
});

test('a cut ends a frozen link too', async () => {
	const proxy = await startProxy();
	const { client, server } = await connectBoth(proxy);
	proxy.freeze();
	proxy.cut();

	await Promise.all([client.ends('ECONNRESET'), server.ends('ECONNRESET')]);
});

test('refuses new connections and keeps existing ones', async () => {
	const proxy = await startProxy();
	const { client, server } = await connectBoth(proxy);
	proxy.refuse(true);
	proxy.refuse(true);

	await (await connectTo(proxy)).ends('ECONNREFUSED');
	client.socket.write('still here');
	await server.receives('still here');
	proxy.refuse(false);
	await connectBoth(proxy);
	expect(proxy.accepted).toBe(2);
});

test('retarget changes the target of new connections', async () => {
	const proxy = await startProxy({ port: await freePort() });
	await (await connectTo(proxy)).ends('ECONNRESET');
	const [other, otherPort] = await listen((socket) => socket.end('other'));
	proxy.retarget({ port: otherPort });

	await (await connectTo(proxy)).receives('other');
	proxy.retarget({ host: 'localhost', port });
	await connectBoth(proxy);
	other.close();
});

test('throttles current and new links towards the client until the limit is removed', async () => {
	const proxy = await startProxy();
	const old = await connectBoth(proxy);
	proxy.throttle(100_000);
	const fresh = await connectBoth(proxy);
	const before = performance.now();
	for (const { server } of [old, fresh]) server.socket.end('x'.repeat(50_000));
	await Promise.all([old.client.ends('FIN'), fresh.client.ends('FIN')]);

	const took = performance.now() - before;
	expect(took).toBeGreaterThan(350);
	expect(took).toBeLessThan(1500);
	const { client, server } = await connectBoth(proxy);
	proxy.throttle(1);
	server.socket.end('y'.repeat(1_000_000));
	await until(() => client.received.length > 0, { what: 'a byte arrives' });
	proxy.throttle(undefined);
	await until(() => client.received.length === 1_000_000, { what: 'all bytes arrive' });
	expect(() => proxy.throttle(0)).toThrow(/more than 0/);
});

test('throttles towards the server alone', async () => {
	const proxy = await startProxy();
	proxy.throttle(100_000, 'toServer');
	const { client, server } = await connectBoth(proxy);
	const before = performance.now();
	client.socket.end('x'.repeat(50_000));
	server.socket.write('y'.repeat(1_000_000));
	await until(() => client.received.length === 1_000_000, { what: 'the other direction is not limited' });
	expect(server.received.length).toBeLessThan(50_000);
	await server.ends('FIN');

	expect(server.received).toHaveLength(50_000);
	expect(performance.now() - before).toBeGreaterThan(350);
	const next = await connectBoth(proxy);
	proxy.throttle(undefined, 'toServer');
	next.client.socket.write('z'.repeat(1_000_000));
	await until(() => next.server.received.length === 1_000_000, { what: 'there is no limit any more' });
});

test('delays bytes and FINs of current and new links, in one direction or both, and keeps their order', async () => {
	const proxy = await startProxy();
	const old = await connectBoth(proxy);
	proxy.delay(300, { direction: 'toClient' });
	const fresh = await connectBoth(proxy);
	for (const { client, server } of [old, fresh]) {
		const before = performance.now();
		client.socket.write('at once');
		await server.receives('at once');
		expect(performance.now() - before).toBeLessThan(250);
		server.socket.write('la');
		await until(() => proxy.links().some(({ held }) => held > 0), { what: 'the bytes are on their way' });
		proxy.delay(0);
		server.socket.end('ter');
		expect(client.received).toBe('');
		await client.receives('later');
		await client.ends('FIN');
		expect(performance.now() - before).toBeGreaterThan(295);
		proxy.delay(300, { direction: 'toClient' });
	}
	proxy.delay(300);
	const both = await connectBoth(proxy);
	const before = performance.now();
	both.client.socket.write('there');
	await both.server.receives('there');
	both.server.socket.write('and back');
	await both.client.receives('and back');
	expect(performance.now() - before).toBeGreaterThan(590);
	both.client.socket.destroy();
	expect(both.server.ended).toBe(undefined);
	expect(() => proxy.delay(-1)).toThrow(/non-negative/);
});

test('stop ends all links and refuses connections; it is idempotent', async () => {
	const proxy = await startProxy();
	const { client, server } = await connectBoth(proxy);
	proxy.freeze();
	await proxy.stop();
	await proxy.stop();

	await Promise.all([client.ends('ECONNRESET'), server.ends('ECONNRESET')]);
	await (await connectTo(proxy)).ends('ECONNREFUSED');
	expect(() => proxy.refuse(false)).toThrow(/was stopped/);
});
