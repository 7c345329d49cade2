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

/** One end of a connection, and what happened to it. */
interface End {
	readonly socket: Socket;
	readonly received: string;
	/** Undefined while it is open to read: then `FIN`, or an error's code. */
	readonly ended: string | undefined;
	gets(text: string): Promise<void>;
	ends(how: string): Promise<void>;
}

const opened: { destroy(): void }[] = [];
const proxies: TcpProxy[] = [];
const serverEnds: End[] = [];
let server: Server;
let port: number;

beforeEach(async () => {
	[server, port] = await listen((socket) => serverEnds.push(endOf(socket)));
});

afterEach(async () => {
	for (const socket of opened.splice(0)) socket.destroy();
	await Promise.all(proxies.splice(0).map((proxy) => proxy.stop()));
	serverEnds.splice(0);
	server.close();
});

async function listen(onConnection: (socket: Socket) => void): Promise<[Server, number]> {
	const created = createServer({ allowHalfOpen: true }, onConnection);
	created.listen(0, '127.0.0.1');
	await once(created, 'listening');
	return [created, (created.address() as AddressInfo).port];
}

function endOf(socket: Socket): End {
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
		gets: (text) => until(() => received === text, { what: () => `${text} was received; so far ${received}` }),
		ends: (how) => until(() => ended === how, { what: () => `it ends with ${how}; so far ${ended}` }),
	};
}

async function startProxy(options: Partial<ProxyOptions> = {}): Promise<TcpProxy> {
	const proxy = await startTcpProxy({ port, ...options });
	proxies.push(proxy);
	return proxy;
}

async function connectTo(proxy: TcpProxy): Promise<End> {
	const socket = connect({ host: proxy.host, port: proxy.port, allowHalfOpen: true });
	const end = endOf(socket);
	await until(() => !socket.connecting, { what: 'the connection succeeds or fails' });
	return end;
}

/** A connection through the proxy, both of its ends, known to work. */
async function connectBoth(proxy: TcpProxy): Promise<{ client: End; server: End }> {
	const before = serverEnds.length;
	const client = await connectTo(proxy);
	await until(() => serverEnds.length > before, { what: 'the proxy connects to the server' });
	return { client, server: serverEnds.at(-1) as End };
}

test('forwards both ways and counts', async () => {
	const proxy = await startProxy();
	const [one, two] = [await connectBoth(proxy), await connectBoth(proxy)];
	one.client.socket.write('ping');
	one.server.socket.write('pong');
	two.server.socket.write('first');

	await Promise.all([one.server.gets('ping'), one.client.gets('pong'), two.client.gets('first')]);
	expect(proxy.links().map(({ id, sent }) => [id, sent])).toEqual([
		[1, 'ping'],
		[2, ''],
	]);
	expect(proxy.links()[0]?.openedAt).toBeCloseTo(Date.now(), -4);
	one.client.socket.end();
	await one.server.ends('FIN');
	one.server.socket.end();
	await until(() => proxy.connections === 1, { what: 'the first link is gone' });
	expect(proxy.accepted).toBe(2);
});

test('an end of one side leaves the other direction open', async () => {
	const { client, server: there } = await connectBoth(await startProxy());
	client.socket.end('question');
	await there.gets('question');
	await there.ends('FIN');
	there.socket.end('answer');

	await client.gets('answer');
	await client.ends('FIN');
});

test('a reset of one side resets the other', async () => {
	const proxy = await startProxy();
	const [one, two] = [await connectBoth(proxy), await connectBoth(proxy)];
	one.client.socket.resetAndDestroy();
	two.server.socket.resetAndDestroy();

	await Promise.all([one.server.ends('ECONNRESET'), two.client.ends('ECONNRESET')]);
	await until(() => proxy.connections === 0, { what: 'the links are gone' });
});

test('carries large streams both ways at once, unchanged', async () => {
	const { client, server: there } = await connectBoth(await startProxy());
	const hash = (bytes: string | Buffer): string => createHash('sha1').update(bytes).digest('hex');
	const [question, answer] = [randomBytes(30_000_000), randomBytes(30_000_000)];
	client.socket.end(question);
	there.socket.end(answer);

	await Promise.all([client.ends('FIN'), there.ends('FIN')]);
	expect(hash(Buffer.from(client.received, 'latin1'))).toBe(hash(answer));
	expect(hash(Buffer.from(there.received, 'latin1'))).toBe(hash(question));
});

test('a receiver that does not read holds up its sender, not the memory', async () => {
	const proxy = await startProxy();
	const { client, server: there } = await connectBoth(proxy);
	client.socket.pause();
	there.socket.write(randomBytes(30_000_000));
	await until(() => (proxy.links()[0]?.held ?? 0) > 0, { what: 'the client is full' });

	expect(proxy.links()[0]?.held).toBeLessThan(1_000_000);
	expect(there.socket.writableLength).toBeGreaterThan(10_000_000);
	client.socket.resume();
	await until(() => client.received.length === 30_000_000, { what: 'all has arrived' });
});

test('is quick: 10000 round trips on 20 connections', async () => {
	const proxy = await startProxy();
	const clients = await Promise.all(Array.from({ length: 20 }, () => connectTo(proxy)));
	await until(() => serverEnds.length === 20, { what: 'all are connected' });
	for (const there of serverEnds) there.socket.on('data', (bytes) => there.socket.write(bytes));
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

test('cuts the links that a filter picks, with an RST or a FIN', async () => {
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

test('tells subscribers and publishers apart', async () => {
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

test('a frozen link holds bytes and ends of both sides, and brings them when thawed', async () => {
	const proxy = await startProxy();
	const [one, two] = [await connectBoth(proxy), await connectBoth(proxy)];
	expect(proxy.freeze(({ id }) => id === 1)).toBe(1);
	one.client.socket.end('late question');
	one.server.socket.write('late answer');
	two.client.socket.write('prompt');
	await two.server.gets('prompt');
	await until(() => proxy.links()[0]?.held === 24, { what: 'the proxy has got both' });

	expect([one.server.received, one.client.received, one.server.ended]).toEqual(['', '', undefined]);
	one.server.socket.resetAndDestroy();
	await Bun.sleep(20); // For an end that must not come there is nothing to await.
	expect([one.client.ended, proxy.connections]).toEqual([undefined, 2]);
	proxy.thaw();
	await until(() => proxy.connections === 1, { what: 'the reset has come through' });
});

test('a thaw delivers in order, what comes later included', async () => {
	const proxy = await startProxy();
	const { client, server: there } = await connectBoth(proxy);
	proxy.freeze();
	client.socket.write('one ');
	await until(() => proxy.links()[0]?.held === 4, { what: 'it is held' });
	client.socket.write('two ');
	await until(() => proxy.links()[0]?.held === 8, { what: 'it is held' });
	expect(proxy.links()[0]?.sent).toBe('one two ');
	proxy.thaw();
	client.socket.end('three');

	await there.gets('one two three');
	await there.ends('FIN');
});

test('freezes one direction only', async () => {
	const proxy = await startProxy();
	const { client, server: there } = await connectBoth(proxy);
	proxy.freeze(undefined, { direction: 'toClient' });
	there.socket.write('answer');
	client.socket.end('question');
	await there.gets('question');
	await there.ends('FIN');

	expect(client.received).toBe('');
	proxy.thaw();
	await client.gets('answer');
});

test('drops what it held when asked to, but not the end', async () => {
	const proxy = await startProxy();
	const { client, server: there } = await connectBoth(proxy);
	proxy.freeze();
	there.socket.write('lost');
	await until(() => proxy.links()[0]?.held === 4, { what: 'it is held' });
	proxy.thaw(undefined, { held: 'drop' });
	there.socket.end('kept');

	await client.gets('kept');
	await client.ends('FIN');
});

test('a frozen link reads no more than holdBytes, and then refuses to drop a part', async () => {
	const proxy = await startProxy({ holdBytes: 100_000 });
	const { client, server: there } = await connectBoth(proxy);
	proxy.freeze();
	there.socket.write(randomBytes(30_000_000));
	await until(() => (proxy.links()[0]?.held ?? 0) > 100_000, { what: 'it is full' });

	expect(() => proxy.thaw(undefined, { held: 'drop' })).toThrow(/raise holdBytes/);
	expect(there.socket.writableLength).toBeGreaterThan(10_000_000);
	proxy.thaw();
	await until(() => client.received.length === 30_000_000, { what: 'all has arrived' });
});

test('new links of a frozen proxy lead nowhere until it is thawed', async () => {
	const proxy = await startProxy();
	proxy.freeze();
	const [patient, impatient] = [await connectTo(proxy), await connectTo(proxy)];
	patient.socket.write('hello');
	await until(() => proxy.links()[0]?.held === 5, { what: 'it is held' });
	impatient.socket.destroy();
	await until(() => proxy.connections === 2, { what: 'both are there' });
	expect(serverEnds).toHaveLength(0);
	proxy.thaw();

	await until(() => serverEnds.some(({ received }) => received === 'hello'), { what: 'the patient one is served' });
	patient.socket.write(', later');
	await until(() => serverEnds.some(({ received }) => received === 'hello, later'), { what: 'it lives' });
	proxy.cut();
});

test('a cut ends a frozen link too', async () => {
	const proxy = await startProxy();
	const { client, server: there } = await connectBoth(proxy);
	proxy.freeze();
	proxy.cut();

	await Promise.all([client.ends('ECONNRESET'), there.ends('ECONNRESET')]);
});

test('refuses new connections and keeps the old ones', async () => {
	const proxy = await startProxy();
	const { client, server: there } = await connectBoth(proxy);
	proxy.refuse(true);
	proxy.refuse(true);

	await (await connectTo(proxy)).ends('ECONNREFUSED');
	client.socket.write('still here');
	await there.gets('still here');
	proxy.refuse(false);
	await connectBoth(proxy);
	expect(proxy.accepted).toBe(2);
});

test('retarget leads new connections elsewhere', async () => {
	const proxy = await startProxy({ port: await freePort() });
	await (await connectTo(proxy)).ends('ECONNRESET');
	const [other, otherPort] = await listen((socket) => socket.end('other'));
	proxy.retarget({ port: otherPort });

	await (await connectTo(proxy)).gets('other');
	proxy.retarget({ host: 'localhost', port });
	await connectBoth(proxy);
	other.close();
});

test('throttles towards the client, for old and new links, until told otherwise', async () => {
	const proxy = await startProxy();
	const old = await connectBoth(proxy);
	proxy.throttle(100_000);
	const fresh = await connectBoth(proxy);
	const before = performance.now();
	for (const { server: there } of [old, fresh]) there.socket.end('x'.repeat(50_000));
	await Promise.all([old.client.ends('FIN'), fresh.client.ends('FIN')]);

	const took = performance.now() - before;
	expect(took).toBeGreaterThan(350);
	expect(took).toBeLessThan(1500);
	const { client, server: there } = await connectBoth(proxy);
	proxy.throttle(1);
	there.socket.end('y'.repeat(1_000_000));
	await until(() => client.received.length > 0, { what: 'a byte came' });
	proxy.throttle(undefined);
	await until(() => client.received.length === 1_000_000, { what: 'all came' });
	expect(() => proxy.throttle(0)).toThrow(/more than 0/);
});

test('stop ends everything, and twice is fine', async () => {
	const proxy = await startProxy();
	const { client, server: there } = await connectBoth(proxy);
	proxy.freeze();
	await proxy.stop();
	await proxy.stop();

	await Promise.all([client.ends('ECONNRESET'), there.ends('ECONNRESET')]);
	await (await connectTo(proxy)).ends('ECONNREFUSED');
	expect(() => proxy.refuse(false)).toThrow(/stopped for good/);
});
