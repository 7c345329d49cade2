import { afterAll, describe, expect, it } from 'vitest';
import { now } from '../clock.ts';
import { RawClients } from './raw-clients.ts';
import { stamp } from './stamp.ts';

/**
 * The query strings with which clients have connected to the server, a real one that answers each message with an echo.
 */
const urls: string[] = [];
const server = Bun.serve({
	port: 0,
	hostname: '127.0.0.1',
	fetch(req, server) {
		urls.push(new URL(req.url).search);
		return server.upgrade(req, { data: undefined }) ? undefined : new Response('no', { status: 400 });
	},
	websocket: {
		open: (ws) => void ws.subscribe('all'),
		message: (ws, message) => void ws.send(`got ${String(message)}`),
	},
});
const port = Number(server.port);
const credits: string[] = [];
const credit = Bun.listen({
	port: 0,
	hostname: '127.0.0.1',
	socket: { data: (_, chunk) => void credits.push(...chunk.toString().trim().split('\n')) },
});

afterAll(async () => {
	credit.stop(true);
	await server.stop(true);
});

async function connect(clients: readonly (readonly string[])[]): Promise<RawClients> {
	const group = new RawClients();
	const work = { group: 'c', port, path: '/ws', hello: undefined, clients, concurrency: 2 };
	expect(await group.connect(work)).toMatchObject({ connected: clients.length });
	return group;
}

describe('raw clients', () => {
	it('connect, ask for their topics, count bytes and confirm them', async () => {
		const group = await connect([['a', 'b'], [], ['c']]);
		expect(urls.splice(0).toSorted()).toEqual(['', '?topics=a,b', '?topics=c']);
		await group.startCounting({ group: 'c', creditPort: credit.port, confirmEach: 1 });
		server.publish('all', 'x'.repeat(64));
		const bytes = 3 * (2 + 64);
		const arrival = await group.waitForBytes({ group: 'c', bytes, stallMs: 5_000 });

		expect(arrival.bytes).toBe(bytes);
		expect(arrival.lastAt).toBeLessThanOrEqual(now());
		expect(Buffer.from(arrival.head).subarray(0, 3).toString('latin1')).toBe('\x81@x');
		group.close();
	});

	it('count bytes that arrive together with the handshake', async () => {
		const greeting = Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi', 'latin1');
		const greeter = Bun.listen({
			port: 0,
			hostname: '127.0.0.1',
			socket: { data: (socket) => void socket.write(greeting) },
		});
		const group = new RawClients();
		const clients = [[], []];
		await group.connect({ group: 'c', port: greeter.port, path: '/', hello: undefined, clients, concurrency: 1 });

		expect(await group.waitForBytes({ group: 'c', bytes: 8, stallMs: 5_000 })).toMatchObject({ bytes: 8 });
		group.close();
		greeter.stop(true);
	});

	it('count messages where these differ in size', async () => {
		const group = await connect([[], []]);
		await group.startCounting({ group: 'c', creditPort: credit.port, confirmEach: Infinity, messageBytes: 10 });
		for (const size of [1, 200, 70_000]) server.publish('all', 'x'.repeat(size));

		expect(await group.waitForBytes({ group: 'c', bytes: 60, stallMs: 5_000 })).toMatchObject({ bytes: 60 });
		group.close();
	});

	it('stop waiting when nothing arrives, and report what did', async () => {
		const group = await connect([[]]);
		await group.startCounting({ group: 'c', creditPort: credit.port, confirmEach: Infinity });
		server.publish('all', 'short');

		expect(await group.waitForBytes({ group: 'c', bytes: 1_000, stallMs: 50 })).toMatchObject({ bytes: 7 });
		group.close();
	});

	it('read timestamps wherever the stream is split', async () => {
		const group = await connect([[]]);
		const size = stamp.length + 3;
		const wireBytes = 2 + size;
		await group.startCounting({
			group: 'c',
			creditPort: credit.port,
			confirmEach: Infinity,
			stamped: { wireBytes, offset: 2 },
		});
		const count = 5_000;
		for (let i = 0; i < count; i++) server.publish('all', `${stamp.write(now())}...`);
		await group.waitForBytes({ group: 'c', bytes: count * wireBytes, stallMs: 5_000 });
		const latencies = group.latencies();

		expect(latencies).toHaveLength(count);
		for (const latency of latencies) expect(latency).toBeGreaterThan(0);
		for (const latency of latencies) expect(latency).toBeLessThan(20e9);
		group.close();
	});

	it('send the requested number of requests each and receive all replies', async () => {
		const group = await connect([[], [], []]);
		group.probe('hello');
		const { bytes: replyBytes } = await group.waitForBytes({ group: 'c', bytes: 1, stallMs: 5_000 });
		expect(replyBytes).toBe(2 + 'got hello'.length);

		const report = await group.drive({ group: 'c', request: 'hello', perClient: 100, inFlight: 4, replyBytes });
		expect(report.bytes).toBe(3 * 100 * replyBytes);
		expect(report.endedAt).toBeGreaterThan(report.startedAt);
		group.close();
	});

	it('report the response of a server that refuses the handshake', async () => {
		const plain = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('no', { status: 403 }) });
		const work = { group: 'c', port: Number(plain.port), path: '/', hello: undefined, clients: [[]], concurrency: 1 };

		await expect(new RawClients().connect(work)).rejects.toThrow('Handshake refused: HTTP/1.1 403');
		await plain.stop(true);
	});
});
