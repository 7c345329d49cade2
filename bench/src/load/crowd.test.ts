import { afterAll, describe, expect, it } from 'vitest';
import { now } from '../clock.ts';
import { Crowd } from './crowd.ts';
import { stamp } from './stamp.ts';

/** A real server that echoes, and that says on which topics its clients came. */
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

async function connect(clients: readonly (readonly string[])[]): Promise<Crowd> {
	const crowd = new Crowd();
	const work = { crowd: 'c', port, path: '/ws', hello: undefined, clients, atOnce: 2 };
	expect(await crowd.connect(work)).toMatchObject({ connected: clients.length });
	return crowd;
}

describe('a crowd of raw clients', () => {
	it('connects, asks for its topics, counts bytes and confirms them', async () => {
		const crowd = await connect([['a', 'b'], [], ['c']]);
		expect(urls.splice(0).toSorted()).toEqual(['', '?topics=a,b', '?topics=c']);
		await crowd.begin({ crowd: 'c', creditPort: credit.port, confirmEach: 1 });
		server.publish('all', 'x'.repeat(64));
		const bytes = 3 * (2 + 64);
		const arrival = await crowd.arrival({ crowd: 'c', bytes, stallMs: 5_000 });

		expect(arrival.bytes).toBe(bytes);
		expect(arrival.lastAt).toBeLessThanOrEqual(now());
		expect(Buffer.from(arrival.head).subarray(0, 3).toString('latin1')).toBe('\x81@x');
		crowd.close();
	});

	it('counts what comes together with the handshake', async () => {
		const greeting = Buffer.from('HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi', 'latin1');
		const greeter = Bun.listen({
			port: 0,
			hostname: '127.0.0.1',
			socket: { data: (socket) => void socket.write(greeting) },
		});
		const crowd = new Crowd();
		const clients = [[], []];
		await crowd.connect({ crowd: 'c', port: greeter.port, path: '/', hello: undefined, clients, atOnce: 1 });

		expect(await crowd.arrival({ crowd: 'c', bytes: 8, stallMs: 5_000 })).toMatchObject({ bytes: 8 });
		crowd.close();
		greeter.stop(true);
	});

	it('counts messages, where these differ in size', async () => {
		const crowd = await connect([[], []]);
		await crowd.begin({ crowd: 'c', creditPort: credit.port, confirmEach: Infinity, messageBytes: 10 });
		for (const size of [1, 200, 70_000]) server.publish('all', 'x'.repeat(size));

		expect(await crowd.arrival({ crowd: 'c', bytes: 60, stallMs: 5_000 })).toMatchObject({ bytes: 60 });
		crowd.close();
	});

	it('gives up waiting when nothing comes, and says what came', async () => {
		const crowd = await connect([[]]);
		await crowd.begin({ crowd: 'c', creditPort: credit.port, confirmEach: Infinity });
		server.publish('all', 'short');

		expect(await crowd.arrival({ crowd: 'c', bytes: 1_000, stallMs: 50 })).toMatchObject({ bytes: 7 });
		crowd.close();
	});

	it('reads the stamps of messages, wherever the stream is cut', async () => {
		const crowd = await connect([[]]);
		const size = stamp.length + 3;
		const wireBytes = 2 + size;
		await crowd.begin({
			crowd: 'c',
			creditPort: credit.port,
			confirmEach: Infinity,
			stamped: { wireBytes, offset: 2 },
		});
		const count = 5_000;
		for (let i = 0; i < count; i++) server.publish('all', `${stamp.write(now())}...`);
		await crowd.arrival({ crowd: 'c', bytes: count * wireBytes, stallMs: 5_000 });
		const latencies = crowd.latencies();

		expect(latencies).toHaveLength(count);
		for (const latency of latencies) expect(latency).toBeGreaterThan(0);
		for (const latency of latencies) expect(latency).toBeLessThan(20e9);
		crowd.close();
	});

	it('drives requests: each client sends so many and has all the answers', async () => {
		const crowd = await connect([[], [], []]);
		crowd.probe('hello');
		const { bytes: replyBytes } = await crowd.arrival({ crowd: 'c', bytes: 1, stallMs: 5_000 });
		expect(replyBytes).toBe(2 + 'got hello'.length);

		const report = await crowd.drive({ crowd: 'c', request: 'hello', perClient: 100, underWay: 4, replyBytes });
		expect(report.bytes).toBe(3 * 100 * replyBytes);
		expect(report.endedAt).toBeGreaterThan(report.startedAt);
		crowd.close();
	});

	it('says what a server answered that did not want a WebSocket', async () => {
		const plain = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('no', { status: 403 }) });
		const work = { crowd: 'c', port: Number(plain.port), path: '/', hello: undefined, clients: [[]], atOnce: 1 };

		await expect(new Crowd().connect(work)).rejects.toThrow('No WebSocket: HTTP/1.1 403');
		await plain.stop(true);
	});
});
